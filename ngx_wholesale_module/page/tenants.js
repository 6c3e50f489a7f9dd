/*
 * Copyright (C) The wholesale gateway authors
 */


let rows = ROWS;

function used(limit) {
    return limit.quota > 0 && typeof limit.remaining === "number"
        ? Math.min(Math.max(1 - limit.remaining / limit.quota, 0), 1) : null;
}

function tenantOf([name, { outcomes, limits }]) {
    const all = Object.entries(limits || {}).map(([limit, figures]) =>
        ({ name: limit, used: used(figures), ...figures }))
        .sort((a, b) => (b.used || 0) - (a.used || 0));
    const n = (outcome) => outcomes[outcome] || 0;
    const accepted = sum(ACCEPTED.map(n));
    const total = sum(Object.values(outcomes));

    return { name, limits: all, most: all.length ? all[0].used || 0 : 0,
             use: sum(all.map((limit) => limit.used || 0)), total,
             special: name === "" || name === "*",
             figures: [accepted, n("limited"), n("invalid"),
                       total - accepted - n("limited") - n("invalid")] };
}

function drawTenants(doc) {
    const filter = at("filter").value.trim().toLowerCase();
    const all = Object.entries(doc.tenants).map(tenantOf);
    const real = all.filter((tenant) => !tenant.special);
    const found = real.filter(({ name }) =>
        name.toLowerCase().includes(filter));

    found.sort((a, b) => b.most - a.most || b.use - a.use
                         || b.total - a.total || (a.name < b.name ? -1 : 1));

    const shown = found.slice(0, rows);
    const rest = found.length - shown.length;

    put(at("shown"), real.length === 0 ? "none has sent anything yet"
        : filter ? `${several(found.length, "match", "matches")} of `
                   + count(real.length)
        : `${count(shown.length)} of ${count(real.length)}, `
          + "the most used first");

    at("more").hidden = rest === 0;
    at("more").disabled = rows >= ROWS_MAX;
    put(at("more"), rows >= ROWS_MAX
        ? `${count(rest)} more: filter to find them`
        : `Show more: ${count(rest)} are left, none above `
          + percent(rest ? found[shown.length].most : 0));

    list(at("tenant-rows"),
         filter ? shown : [...shown, ...all.filter(({ special }) => special)],
         tenantRow, fillTenant);

    list(at("tenant-sums"), [{
        name: "all", limits: [], figures: [0, 1, 2, 3].map(
            (i) => sum(all.map(({ figures }) => figures[i]))),
    }], tenantRow, fillTenant);
}

function tenantRow() {
    return make("tr", { role: "row" },
        make("th", { role: "rowheader", scope: "row" }),
        make("td", { role: "cell", "class": "limits" }),
        ...["accepted", "limited", "invalid", "else"].map((name) =>
            make("td", { role: "cell", "data-label": name })));
}

function fillTenant(row, tenant) {
    const [head, limits, ...figures] = row.children;

    put(head, named(tenant.name));
    head.classList.toggle("aside", Boolean(tenant.special));
    figures.forEach((cell, i) => put(cell, count(tenant.figures[i])));

    list(limits, tenant.limits,
         () => make("div", { "class": "limit" }, make("span"),
                    make("span", { "class": "bar", "aria-hidden": "true" },
                         make("i")),
                    make("span", null, make("b"), make("span"))),
         (item, limit) => fillLimit(item, limit,
                                    history.run(tenant.name, limit.name)));
}

function fillLimit(item, limit, run) {
    const [name, bar, text] = item.children;
    const share = limit.used;
    const words = [];

    item.className = share === null ? "limit"
                   : share >= 1 ? "limit full"
                   : share >= NEAR ? "limit near" : "limit";
    put(name, limit.name === "*" ? "" : limit.name);
    bar.hidden = share === null;
    bar.firstElementChild.style.width = `${(share || 0) * 100}%`;
    put(text.firstElementChild,
        share === null ? "" : share >= 1 ? "Reached" : percent(share));

    if (share !== null) {
        words.push(`${count(limit.remaining)} of ${count(limit.quota)} left`);

    } else if (limit.quota > 0) {
        words.push(`${count(limit.quota)} at most`);
    }

    if (limit.per === "customer") {
        words.push("by customer");
    }

    if (limit.refused) {
        words.push(`${count(limit.refused)} refused`
                   + (run ? ", and now" : ""));
    }

    if (limit.dryRun) {
        words.push(`dry run: ${count(limit.dryRunRefused)} would be`);
    }

    if (share > 0 && limit.reset > 0) {
        words.push(`whole in ${span(limit.reset)}`);
    }

    put(text.lastElementChild, (share === null ? "" : " \u00b7 ")
                               + words.join(" \u00b7 "));
}
