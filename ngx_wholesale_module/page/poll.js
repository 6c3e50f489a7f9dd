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
    missed: null,               // when the first was asked that did not come

    schedule(delay) {
        clearTimeout(this.timer);
        this.timer = null;

        if (!this.paused && !document.hidden && !this.running) {
            this.timer = setTimeout(() => this.run(), delay);
        }
    },

    async run() {
        const begin = performance.now();
        const asked = Date.now();

        this.running = true;

        try {
            this.accept(await this.fetch());
        } catch (error) {
            this.missed = this.missed || asked;
            this.miss(error);
        }

        this.running = false;

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
                throw new Trouble(`answers with ${answer.status}`,
                    "This machine may not be allowed to see the status, or "
                    + "the configuration has changed. ");
            }

            return await answer.text();

        } catch (error) {
            throw error instanceof Trouble ? error
                : new Trouble("does not answer", "");
        } finally {
            clearTimeout(timer);
        }
    },

    accept(text) {
        const doc = JSON.parse(text);

        history.add(doc);
        this.doc = doc;
        this.answered = Date.now();
        this.missed = null;
        this.draw();
    },

    draw() {
        at("figures").hidden = false;
        drawAbout(this.doc);
        drawVerdict(problems(this.doc));
        drawTiles(this.doc);
        drawPlots();
        drawTenants(this.doc);
        drawTables(this.doc);
        this.tell();
    },

    miss(error) {
        const trouble = error instanceof Trouble ? error
            : new Trouble("says what this page does not understand",
                          "It may have been upgraded: load the page anew. ");

        drawVerdict([{
            level: "bad",
            title: `The gateway ${trouble.message} since `
                   + `${clock(this.missed / 1000, true)}.`,
            text: `For ${span((Date.now() - this.missed) / 1000)} now. `
                  + trouble.advice
                  + (this.answered ? "What is below is as of "
                                     + `${clock(this.answered / 1000, true)}. `
                                   : "")
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


// what the gateway does instead, and what that may be

class Trouble extends Error {
    constructor(message, advice) {
        super(message);
        this.advice = advice;
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
