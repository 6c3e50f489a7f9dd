/*
 * Copyright (C) The wholesale gateway authors
 */


// The tables below: a title, the columns' names, and rows of text.

function drawTables(doc) {
    const sample = history.samples.at(-1);
    const minute = (kind) => {
        const grown = history.recent(kind);
        return Object.entries(sample[kind])
            .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
            .map(([name, n]) => [name, count(grown[name]), count(n)]);
    };
    const columns = ["last minute", "in all"];
    const members = minute("validation").filter(([name]) =>
        sample.validation[name] > 0);

    const tables = [
        ["Outcomes", ["outcome", ...columns],
         minute("outcomes").filter(([name, , all]) =>
             all !== "0" || !name.endsWith("_dry_run"))
             .map(([name, ...rest]) => [spaced(name), ...rest])],
        ["Webex\u2019s answers", ["status", ...columns], minute("upstream")],
        ["What was not valid", ["member", ...columns],
         members.length > ROWS
         ? [...members.slice(0, ROWS),
            [`${count(members.length - ROWS)} other members`, "", ""]]
         : members.length ? members : [["nothing yet", "", ""]]],
        ["Times, in all", ["", "p50", "p95", "p99", "of"],
         PATHS.filter(([path]) => path !== "redis" || doc.redis)
             .map(([path, name]) => [name,
                 ...QUANTILES.map(([, q]) =>
                     latency(history.quantile(path, q, null))),
                 count(doc.durations[path].count)])],
        ["Tokens", ["", "state", "refresh token", "renewals"],
         Object.entries(doc.credentials).map(([name, token]) => [name,
             token.state + (token.expires > 0 ? `, ${span(token.expires)}`
                                              : ""),
             token.refreshTokenExpires === null ? "\u2013"
             : span(token.refreshTokenExpires),
             renewals(token.refreshes)])],
        ["This gateway", ["", ""], [
            ...(doc.redis ? [
                ["Redis commands", count(doc.redis.commands)],
                ["Redis reconnects", count(doc.redis.reconnects)],
                ["not sent, as it was down", count(doc.redis.declined)],
                ["Redis failures", count(sum(
                    Object.values(doc.redis.failures)))],
                ...Object.entries(doc.redis.failures)
                    .filter(([, n]) => n > 0)
                    .map(([reason, n]) => [`\u2013 ${reason}`, count(n)]),
            ] : []),
            ["tenants configured", count(doc.tenantsConfigured)],
            ["reloads", count(doc.generation - 1)],
            ["memory used", `${size(doc.zone.used)} of ${size(doc.zone.size)}`],
            ["counting since", date(doc.started)],
        ]],
    ];

    list(at("tables"), tables,
         () => make("section", { "class": "panel" }, make("h2"),
                    make("table", null, make("thead", null, make("tr")),
                         make("tbody"))),
         fillTable);
}

function renewals(refreshes) {
    if (refreshes === null) {
        return "\u2013";
    }

    const failed = refreshes.failed + refreshes.final;

    return count(refreshes.succeeded)
           + (failed ? `, ${count(failed)} failed` : "");
}

function fillTable(section, [title, columns, lines]) {
    const [head, table] = section.children;

    put(head, title);
    set(section, "aria-label", title);
    table.tHead.hidden = columns.every((column) => column === "");

    list(table.tHead.rows[0], columns,
         () => make("th", { scope: "col" }), put);
    list(table.tBodies[0], lines,
         () => make("tr", null, make("th", { scope: "row" })),
         (row, cells) => {
             while (row.children.length < cells.length) {
                 row.append(make("td"));
             }

             cells.forEach((text, i) => put(row.children[i], text));
         });
}
