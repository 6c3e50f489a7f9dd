/*
 * Copyright (C) The wholesale gateway authors
 */


function drawVerdict(found) {
    const level = found.length ? found[0].level : "ok";
    const text = found.length === 0 ? "All is well"
               : found.length === 1 ? found[0].title
               : `${found.length} things are wrong`;

    at("verdict").className = level;
    face(at("verdict-head").firstElementChild, level);
    put(at("verdict-head").lastElementChild, text);

    // of a single one the headline is the title

    list(at("problems"), found,
         () => make("li", null, icon("off"),
                    make("div", null, make("strong"),
                         make("span", { "class": "aside" }))),
         (item, problem) => {
             item.className = problem.level;
             face(item.firstElementChild, problem.level);
             item.lastElementChild.firstElementChild.hidden
                 = found.length === 1;
             put(item.lastElementChild.firstElementChild, problem.title);
             put(item.lastElementChild.lastElementChild, problem.text);
             item.firstElementChild.toggleAttribute("hidden",
                                                    found.length === 1);
         });

    document.title = (level === "ok" ? "" : level === "bad" ? "\u2716 "
                                                            : "\u26a0 ")
                     + `${text} \u2013 gateway ${location.host}`;

    put(at("spoken"), found.length < 2 ? text
        : `${text}: ${found.map(({ title }) => title).join(" ")}`);

    drawFavicon(level);
}

function drawFavicon(level) {
    const colour = { ok: "#1f8a3f", warn: "#e09400", bad: "#c0222b" }[level];
    const path = at(`icon-${level}`).firstElementChild.getAttribute("d");

    set(document.querySelector("link[rel=icon]"), "href",
        "data:image/svg+xml," + encodeURIComponent(
            `<svg xmlns="${SVG}" viewBox="0 0 20 20"><path fill="${colour}" `
            + `fill-rule="evenodd" d="${path}"/></svg>`));
}

function drawTiles(doc) {
    const tokens = Object.entries(doc.credentials)
        .map(([name, token]) => [`Token ${name}`, tokenState(token)])
        .sort((a, b) => ORDER[a[1].level] - ORDER[b[1].level]);

    const tiles = [
        ["Redis", redisState(doc)],
        ...tokens.slice(0, TILES),
        ["Webex", upstreamState()],
        ["Refused by limits", refusalState(doc)],
    ];

    if (tokens.length > TILES) {
        tiles.splice(TILES + 1, 0, ["Other tokens", {
            level: tokens[TILES][1].level,
            word: `${count(tokens.length - TILES)} more`,
            text: tokens[TILES][1].level === "ok" ? "all of them live"
                                                  : "see below",
        }]);
    }

    list(at("tiles"), tiles,
         () => make("div", { "class": "tile" }, make("h3"),
                    make("div", { "class": "state" }, icon("off"),
                         make("span")),
                    make("p")),
         (tile, [title, state]) => {
             tile.className = `tile ${state.level}`;
             put(tile.children[0], title);
             face(tile.children[1].firstElementChild, state.level);
             put(tile.children[1].lastElementChild, state.word);
             put(tile.children[2], state.text);
         });
}

function drawAbout(doc) {
    put(at("host"), location.host);
    put(at("about"), `${doc.version} in nginx ${doc.nginx}`
        + (doc.workers ? `, ${several(doc.workers, "worker")}` : "")
        + `, counting for ${span(doc.time - doc.started)}`);
}
