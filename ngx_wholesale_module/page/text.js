/*
 * Copyright (C) The wholesale gateway authors
 */

"use strict";


const INTERVAL = 1000;          // ms between two polls, at least
const SHARE = 4;                // and so many times what one takes
const TIMEOUT = 5000;           // ms until an answer is too late
const SPAN = 300;               // s that plots show, at most
const SPAN_MIN = 30;
const RATE = 5;                 // s over which rates are the mean
const LATENCY = 15;             // s over which percentiles are taken
const RECENT = 60;              // s that are "the last minute"
const GAP = 10;                 // s without a sample: the line is broken
const ROWS = 20;                // tenants shown, and more of them
const ROWS_MAX = 500;
const NEAR = 0.8;               // of a limit
const ENDING = 14 * 86400;      // s left of a refresh token
const FAILING = 0.05;           // share of Webex's answers
const NAMED = 5;                // tenants that a sentence names
const TILES = 6;                // credentials

const ORDER = { bad: 0, warn: 1, ok: 2, off: 3 };
const QUANTILES = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]];
const LINES = ["first", "second", "third"];
const PATHS = [["request", "request"], ["redis", "Redis"],
               ["upstream", "Webex"]];
const ACCEPTED = ["forwarded", "forbidden_dry_run", "limited_dry_run",
                  "invalid_dry_run"];

const SVG = "http://www.w3.org/2000/svg";

const at = (id) => document.getElementById(id);


// Elements.  What is in the page already is not touched unless it differs, so
// that a selection or a screen reader's place in it is not lost each second.

function put(element, value) {
    if (element.textContent !== value) {
        element.textContent = value;
    }
}

function set(element, name, value) {
    if (element.getAttribute(name) !== String(value)) {
        element.setAttribute(name, value);
    }
}

function make(name, attributes, ...children) {
    const element = document.createElement(name);

    for (const key of Object.keys(attributes || {})) {
        element.setAttribute(key, attributes[key]);
    }

    element.append(...children);
    return element;
}

function draw(name, attributes, ...children) {
    const element = document.createElementNS(SVG, name);

    for (const key of Object.keys(attributes)) {
        element.setAttribute(key, attributes[key]);
    }

    element.append(...children);
    return element;
}

function icon(level) {
    return draw("svg", { "class": "icon", "aria-hidden": "true" },
                draw("use", { href: `#icon-${level}` }));
}

function face(svg, level) {
    set(svg.firstElementChild, "href", `#icon-${level}`);
}

// makes the parent's children as many as there are items, and fills each

function list(parent, items, create, fill) {
    while (parent.children.length > items.length) {
        parent.lastElementChild.remove();
    }

    items.forEach((item, i) => {
        if (i === parent.children.length) {
            parent.append(create());
        }

        fill(parent.children[i], item);
    });
}


// Figures as text.

const grouped = new Intl.NumberFormat("en");

function count(n) {
    return typeof n === "number" ? grouped.format(n) : "\u2013";
}

function several(n, one, many) {
    return `${count(n)} ${n === 1 ? one : many || one + "s"}`;
}

function rate(x) {
    return x === null ? "\u2013" : x >= 100 ? count(Math.round(x))
                                            : x.toFixed(1);
}

function percent(x) {
    // 100 % is what is full, and not what is nearly so
    return `${x >= 1 ? 100 : Math.min(Math.round(x * 100), 99)}\u00a0%`;
}

function span(s) {
    const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
    let rest = Math.max(Math.round(s), 0);
    let i = parts.findIndex((part) => rest >= part[1]);

    if (i < 0) {
        return "0\u00a0s";
    }

    const whole = Math.floor(rest / parts[i][1]);
    let text = `${whole}\u00a0${parts[i][0]}`;

    rest -= whole * parts[i][1];
    i += 1;

    if (i < parts.length && rest >= parts[i][1]) {
        text += `\u00a0${Math.floor(rest / parts[i][1])}`
                + `\u00a0${parts[i][0]}`;
    }

    return text;
}

function latency(s) {
    if (s === null) {
        return "\u2013";
    }

    if (s < 0) {
        return `>\u00a0${latency(-s)}`;
    }

    return s >= 1 ? `${s.toFixed(2)}\u00a0s`
         : `${(s * 1000).toFixed(s >= 0.01 ? 0 : 1)}\u00a0ms`;
}

function clock(s, seconds) {
    const time = new Date(s * 1000);
    const two = (n) => String(n).padStart(2, "0");

    return `${two(time.getHours())}:${two(time.getMinutes())}`
         + (seconds ? `:${two(time.getSeconds())}` : "");
}

function date(s) {
    const time = new Date(s * 1000);
    const two = (n) => String(n).padStart(2, "0");

    return `${time.getFullYear()}-${two(time.getMonth() + 1)}-`
         + `${two(time.getDate())} ${clock(s, true)}`;
}

function size(bytes) {
    return bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)}\u00a0MiB`
                            : `${(bytes / 1024).toFixed(1)}\u00a0KiB`;
}

function spaced(text) {
    return text.replaceAll("_", " ");
}

function named(tenant) {
    return tenant === "" ? "nobody that is known"
         : tenant === "*" ? "all others" : tenant;
}

const sum = (values) => values.reduce((a, b) => a + b, 0);
