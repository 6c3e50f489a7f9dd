/*
 * Copyright (C) The wholesale gateway authors
 */


// Polling.  One poll at a time, none while nobody looks.

const poll = {
    timer: null,
    paused: false,
    running: false,
    doc: null,                  // the last one
    answered: null,             // when it came, by this machine's clock
    asked: Date.now(),          // since when there is none

    schedule(delay) {
        clearTimeout(this.timer);
        this.timer = null;

        if (!this.paused && !document.hidden && !this.running) {
            this.timer = setTimeout(() => this.run(), delay);
        }
    },

    async run() {
        const begin = performance.now();
        let trouble = null;

        this.running = true;

        try {
            this.accept(await this.fetch());
        } catch (error) {
            trouble = error;
        }

        this.running = false;

        if (trouble) {
            this.miss(trouble);
        }

        const cost = performance.now() - begin;
        this.schedule(Math.max(INTERVAL, cost * SHARE) - cost);
    },

    async fetch() {
        const stop = new AbortController();
        const timer = setTimeout(() => stop.abort(), TIMEOUT);

        try {
            const answer = await fetch(`${location.pathname}?format=json`, {
                cache: "no-store", signal: stop.signal,
                headers: { Accept: "application/json" } });

            if (!answer.ok) {
                throw new Refused(answer.status);
            }

            return await answer.json();
        } finally {
            clearTimeout(timer);
        }
    },

    accept(doc) {
        history.add(doc);
        this.doc = doc;
        this.answered = Date.now();
        this.draw();
    },

    draw() {
        at("figures").hidden = false;
        at("figures").classList.remove("stale");
        drawAbout(this.doc);
        drawVerdict(problems(this.doc));
        drawTiles(this.doc);
        drawPlots();
        drawTenants(this.doc);
        drawTables(this.doc);
        this.tell();
    },

    miss(error) {
        const since = this.answered || this.asked;
        const refused = error instanceof Refused;

        drawVerdict([{
            level: "bad",
            title: (refused
                    ? `The gateway answers with ${error.status} `
                    : "The gateway does not answer ")
                   + `since ${clock(since / 1000, true)}.`,
            text: `For ${span((Date.now() - since) / 1000)} now. `
                  + (refused ? "This machine may not be allowed to see the "
                               + "status, or the configuration has changed. "
                     : error instanceof SyntaxError
                     ? "What came was not the status. " : "")
                  + (this.answered ? "What is below is as it was then. " : "")
                  + "It is asked again and again.",
        }]);

        for (const tile of at("tiles").children) {
            tile.className = "tile off";
            face(tile.children[1].firstElementChild, "off");
            put(tile.children[1].lastElementChild, "Unknown");
            put(tile.children[2], "");
        }

        this.tell();
    },

    tell() {
        put(at("updated"), this.answered === null ? ""
            : `${this.paused ? "paused; as of" : "as of"} `
              + clock(this.answered / 1000, true));
    },

    pause() {
        this.paused = !this.paused;
        put(at("pause"), this.paused ? "Go on" : "Pause");
        this.tell();
        this.schedule(0);
    },
};

class Refused extends Error {
    constructor(status) {
        super(`status ${status}`);
        this.status = status;
    }
}


at("pause").addEventListener("click", () => poll.pause());

at("filter").addEventListener("input", () => {
    rows = ROWS;
    drawTenants(poll.doc);
});

at("more").addEventListener("click", () => {
    rows = Math.min(rows + 2 * ROWS, ROWS_MAX);
    drawTenants(poll.doc);
});

document.addEventListener("visibilitychange", () => poll.schedule(0));

addEventListener("resize", () => poll.doc && drawPlots());

poll.schedule(0);
