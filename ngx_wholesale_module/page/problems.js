/*
 * Copyright (C) The wholesale gateway authors
 */


// What is wrong, in words: { level, title, text }, the worst first.

function problems(doc) {
    return [...wrongTokens(doc), ...wrongRedis(doc), ...wrongUpstream(),
            ...wrongRefusals(doc)]
        .sort((a, b) => ORDER[a.level] - ORDER[b.level]);
}

function wrongTokens(doc) {
    const found = [];

    for (const [name, token] of Object.entries(doc.credentials)) {
        const error = token.lastError ? ` The last error: ${token.lastError}.`
                                      : "";

        if (token.state !== "live" && !token.used) {
            continue;
        }

        if (token.state !== "live") {
            found.push({
                level: "bad",
                title: `The token \u201c${name}\u201d is ${token.state}.`,
                text: "Tenants that use it are answered with 503, and "
                      + `nothing of theirs is sent to Webex.${error}`,
            });

        } else if (error) {
            found.push({
                level: "warn",
                title: `The token \u201c${name}\u201d could not be renewed.`,
                text: (typeof token.expires === "number"
                       ? `It is good for another ${span(token.expires)}.`
                       : "The one that is there goes on serving.") + error,
            });
        }

        if (typeof token.refreshTokenExpires === "number"
            && token.refreshTokenExpires < ENDING)
        {
            found.push({
                level: "warn",
                title: `The refresh token of \u201c${name}\u201d ends in `
                       + `${span(token.refreshTokenExpires)}.`,
                text: "After that a person has to authorise anew.",
            });
        }
    }

    return found;
}

function wrongRedis(doc) {
    const state = redisState(doc);

    if (state.level === "ok" || state.level === "off") {
        return [];
    }

    const reasons = Object.entries(history.recent("failures"))
        .filter(([, n]) => n > 0)
        .map(([reason, n]) => `${count(n)} ${reason}`);

    return [{
        level: state.level,
        title: state.level === "bad" ? "Redis does not answer."
                                     : "Redis is being tried again.",
        text: "What becomes of requests, on_failure says; unless it is "
              + "set, each gateway counts for itself."
              + (reasons.length ? " In the last minute: "
                                  + `${reasons.join(", ")}.` : ""),
    }];
}

function wrongUpstream() {
    const state = upstreamState();

    return state.level !== "bad" ? [] : [{
        level: "bad",
        title: "Webex fails.",
        text: `${percent(state.failing)} of what was sent in the last minute: `
              + `${state.text}.`,
    }];
}

// by a limit, or a pause (null), within the last minute

function refusedTenants(doc) {
    const found = [];

    for (const [tenant, { limits }] of Object.entries(doc.tenants)) {
        for (const [name, limit] of [[null, {}],
                                     ...Object.entries(limits || {})])
        {
            const run = history.run(tenant, name);

            if (run) {
                found.push({ tenant, name, limit, run });
            }
        }
    }

    return found;
}

// A limit that is reached for a moment is what limits are for; and of those
// that share a series there is always one that has reached its own.

function wrongRefusals(doc) {
    const found = refusedTenants(doc).filter(({ tenant, limit, run }) =>
        tenant !== "*"
        && (doc.time - run.since >= RECENT
            || (limit.remaining === 0 && limit.reset >= RECENT)));

    if (found.length > NAMED) {
        const names = [...new Set(found.map(({ tenant }) => tenant))];

        return [{
            level: "warn",
            title: `${several(names.length, "tenant is", "tenants are")} `
                   + "being refused.",
            text: names.slice(0, NAMED).map(named).join(", ")
                  + (names.length > NAMED
                     ? `, and ${count(names.length - NAMED)} more.` : "."),
        }];
    }

    return found.map(({ tenant, name, limit, run }) => ({
        level: "warn",
        title: `${named(tenant)} is being refused`
               + (name === null ? ", as Webex has asked for."
                                : ` by \u201c${name}\u201d.`),
        text: `Since ${clock(run.since, true)} at least`
              + (limit.remaining === 0 && limit.reset > 0
                 ? `; whole again in ${span(limit.reset)}.` : "."),
    }));
}


// States, each of them { level, word, text }.

function redisState(doc) {
    const redis = doc.redis;

    if (!redis) {
        return { level: "off", word: "Not used",
                 text: "counters stay on this machine" };
    }

    const text = `${count(redis.connected)} of `
                 + `${several(doc.workers, "worker")} connected`;

    if (redis.breaker === "half-open") {
        return { level: "warn", word: "Trying", text };
    }

    return redis.up && redis.breaker === "closed"
        ? { level: "ok", word: "Up",
            text: `p99 ${latency(history.quantile("redis", 0.99, LATENCY))}` }
        : { level: "bad", word: "Down", text };
}

function tokenState(token) {
    const word = token.state[0].toUpperCase() + token.state.slice(1);
    const text = typeof token.expires !== "number" ? ""
               : token.expires > 0 ? `for another ${span(token.expires)}`
               : "it has ended";

    return token.state !== "live" && !token.used
        ? { level: "off", word, text: "no tenant uses it" }
        : token.state !== "live"
        ? { level: "bad", word, text: token.lastError || text }
        : { level: token.lastError ? "warn" : "ok", word, text };
}

function upstreamState() {
    const classes = history.recent("upstream");
    const all = sum(Object.values(classes));
    const failing = ((classes["5xx"] || 0) + (classes.failed || 0)) / all;
    const text = Object.entries(classes).filter(([, n]) => n > 0)
        .map(([name, n]) => `${count(n)} ${name}`).join(", ");

    return all === 0
        ? { level: "off", word: "Not asked", text: "in the last minute" }
        : failing >= FAILING
        ? { level: "bad", word: "Fails", text, failing }
        : { level: "ok", word: "Answers", text };
}

function refusalState(doc) {
    const tenants = new Set(refusedTenants(doc).map(({ tenant }) => tenant));

    return tenants.size
        ? { level: "off", word: count(tenants.size),
            text: tenants.size > 1 ? "tenants in the last minute"
                                   : named([...tenants][0]) }
        : { level: "ok", word: "Nobody", text: "in the last minute" };
}
