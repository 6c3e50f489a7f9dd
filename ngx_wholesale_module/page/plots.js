/*
 * Copyright (C) The wholesale gateway authors
 */

// The plots: SVG by hand, as large as it is shown, so that text keeps its size.


function drawPlots() {
    const last = history.points.at(-1);
    const [accepted, refused] = last ? last.rates : [null, null];
    const latencies = last ? last.latencies : [null, null, null];

    plot("rates", "rates", rate, 1, [["accepted", accepted],
                                     ["refused", refused]]);
    plot("latencies", "latencies", latency, 0.001,
         QUANTILES.map(([name], i) => [name, latencies[i]]));
}

// id: of the <svg>; kind: of the points' values; least: the axis' end at least

function plot(id, kind, format, least, lines) {
    const svg = at(id);
    const width = svg.clientWidth, height = svg.clientHeight;
    const left = 52, right = width - 4, top = 8, bottom = height - 20;
    const points = history.points;
    const real = points.filter((point) => point);

    list(at(`${id}-legend`), lines,
         () => make("li", null, draw("svg", { "aria-hidden": "true",
                                              viewBox: "0 0 28 12" },
                                     draw("path", { d: "M0 6h28" })),
                    make("span"), make("strong")),
         (item, [name, value]) => {
             const i = lines.findIndex((line) => line[0] === name);
             set(item.firstElementChild.firstElementChild, "class", LINES[i]);
             put(item.children[1], name);
             put(item.children[2], format(value));
         });

    set(svg, "aria-label", `Plot of the last ${span(SPAN)}. `
        + "Now: " + lines.map(([name, value]) => `${name} ${format(value)}`)
                         .join(", "));

    if (!real.length || width < 100) {
        return;
    }

    const end = real.at(-1).time;
    const begin = Math.min(real[0].time, end - SPAN_MIN);
    const high = Math.max(least, ...real.flatMap(
        (point) => point[kind].map((value) => Math.abs(value || 0))));
    const step = nice(high / 3);
    const ceiling = Math.ceil(high / step - 1e-9) * step;
    const x = (time) => left + (right - left) * (time - begin)
                               / (end - begin);
    const y = (value) => bottom - (bottom - top) * Math.abs(value) / ceiling;
    const parts = [];

    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);

    for (let value = 0; value <= ceiling * 1.001; value += step) {
        parts.push(line("grid", left, y(value), right, y(value)),
                   label(left - 6, y(value) + 4, "end",
                         axis(id, value)));
    }

    const tick = [5, 10, 15, 30, 60, 120].find(
        (seconds) => (end - begin) / seconds * 74 <= right - left) || 120;

    for (let time = Math.ceil(begin / tick) * tick; time <= end; time += tick) {
        const middle = Math.min(Math.max(x(time), left + 24), right - 24);

        parts.push(line("grid", x(time), bottom, x(time), bottom + 4),
                   label(middle, height - 4, "middle", clock(time, true)));
    }

    for (const time of history.began.filter((time) => time >= begin)) {
        parts.push(line("mark", x(time), top, x(time), bottom),
                   label(Math.min(x(time) + 4, right - 90), top + 10, "start",
                         "counters anew"));
    }

    for (let i = lines.length - 1; i >= 0; i -= 1) {
        const runs = unbroken(points, (point) => point[kind][i]);
        const path = (run) => "M" + run.map((point) =>
            `${x(point.time).toFixed(1)} ${y(point[kind][i]).toFixed(1)}`)
            .join("L");

        if (i === 0 && id === "rates") {
            parts.push(draw("path", { "class": "area", d: runs.map((run) =>
                `${path(run)}V${bottom}H${x(run[0].time).toFixed(1)}Z`)
                .join("") }));
        }

        parts.push(draw("path", { "class": LINES[i],
                                  d: runs.map(path).join("") }));
    }

    svg.replaceChildren(...parts);
}

function unbroken(points, value) {
    const runs = [[]];

    for (const point of points) {
        if (point && value(point) !== null) {
            runs.at(-1).push(point);
        } else if (runs.at(-1).length) {
            runs.push([]);
        }
    }

    return runs.filter((run) => run.length);
}

function nice(x) {
    const power = 10 ** Math.floor(Math.log10(x));
    return power * [1, 2, 5, 10].find((n) => n * power >= x * 0.999);
}

function axis(id, value) {
    if (id === "rates") {
        return count(Number(value.toPrecision(6)));
    }

    return value >= 1 ? `${Number(value.toPrecision(3))} s`
                      : `${Number((value * 1000).toPrecision(3))} ms`;
}

function line(kind, x1, y1, x2, y2) {
    return draw("line", { "class": kind, x1, y1, x2, y2 });
}

function label(x, y, anchor, text) {
    return draw("text", { x, y, "text-anchor": anchor }, text);
}
