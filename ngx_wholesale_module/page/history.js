/*
 * Copyright (C) The wholesale gateway authors
 */


// What the gateway's counters were, and what follows from their differences.

const history = {
    samples: [],                // of the last minute, the oldest first
    points: [],                 // of the plots; null where a line is broken
    began: [],                  // when counters began anew
    runs: new Map(),            // refusals by tenant and limit, see runs()

    add(doc) {
        const sample = this.sample(doc);
        const last = this.samples.at(-1);

        if (last && this.reset(last, sample)) {
            this.samples = [];
            this.runs.clear();
            this.points.push(null);
            this.began.push(sample.time);

        } else if (last && sample.time - last.time > GAP) {
            this.points.push(null);
        }

        this.samples.push(sample);

        // one that is older than a minute stays, to be the minute's begin

        while (this.samples.length > 2
               && this.samples[1].time <= sample.time - RECENT)
        {
            this.samples.shift();
        }

        this.point(sample);
        this.note(doc, this.samples.length === 1);
    },

    sample(doc) {
        const outcomes = {};

        for (const tenant of Object.values(doc.tenants)) {
            for (const [name, n] of Object.entries(tenant.outcomes)) {
                outcomes[name] = (outcomes[name] || 0) + n;
            }
        }

        const all = sum(Object.values(outcomes));
        const accepted = sum(ACCEPTED.map((name) => outcomes[name] || 0));

        return {
            time: doc.time, started: doc.started, outcomes, accepted,
            refused: all - accepted, upstream: doc.upstream,
            validation: doc.validation, durations: doc.durations,
            failures: doc.redis ? doc.redis.failures : {},
        };
    },

    reset(from, to) {
        return from.started !== to.started || from.time > to.time
            || from.accepted > to.accepted || from.refused > to.refused
            || PATHS.some(([path]) => from.durations[path].count
                                      > to.durations[path].count);
    },

    // the sample from which the last so many seconds are counted

    since(seconds) {
        const samples = this.samples;
        const time = samples.at(-1).time - seconds;
        let i = samples.length - 1;

        while (i > 0 && samples[i].time > time + 0.25) {
            i -= 1;
        }

        return samples[i];
    },

    // how much of one kind came in the last minute

    recent(kind) {
        const from = this.since(RECENT)[kind];
        const to = this.samples.at(-1)[kind];
        const grown = Object.create(null);

        for (const name of Object.keys(to)) {
            grown[name] = to[name] - (Object.hasOwn(from, name) ? from[name]
                                                                : 0);
        }

        return grown;
    },

    point(sample) {
        const from = this.since(RATE);
        const seconds = sample.time - from.time;

        if (seconds > 0) {
            this.points.push({
                time: sample.time,
                rates: [(sample.accepted - from.accepted) / seconds,
                        (sample.refused - from.refused) / seconds],
                latencies: QUANTILES.map(([, q]) =>
                    this.quantile("request", q, LATENCY)),
            });
        }

        while (this.points.length > 1
               && (!this.points[0]
                   || this.points[0].time < sample.time - SPAN))
        {
            this.points.shift();
        }

        this.began = this.began.filter((time) => time > sample.time - SPAN);
    },

    // As Prometheus's histogram_quantile().  null: no request.  Negative: more
    // than that, for it is above the last bucket that has an end.

    quantile(path, q, seconds) {
        const to = this.samples.at(-1).durations[path];
        const from = seconds === null ? null
                   : this.since(seconds).durations[path];
        const below = (i) => to.buckets[i][1]
                             - (from ? from.buckets[i][1] : 0);
        const rank = q * (to.count - (from ? from.count : 0));
        let lower = 0, before = 0;

        if (rank <= 0) {
            return null;
        }

        for (let i = 0; i < to.buckets.length; i += 1) {
            const upper = to.buckets[i][0];

            if (upper === null) {
                break;
            }

            if (below(i) >= rank) {
                return lower + (upper - lower)
                               * (rank - before) / (below(i) - before);
            }

            lower = upper;
            before = below(i);
        }

        return -lower;
    },

    // A run is refusals by one limit without a minute between two of them; of
    // the limit null, those of pauses that Webex has asked for.

    note(doc, first) {
        for (const [tenant, figures] of Object.entries(doc.tenants)) {
            const all = [[null, { refused: figures.paused }],
                         ...Object.entries(figures.limits || {})];

            for (const [limit, { refused }] of all) {
                const key = JSON.stringify([tenant, limit]);
                let run = this.runs.get(key);

                if (!run) {
                    run = { refused: first ? refused : 0, since: null,
                            last: null };
                    this.runs.set(key, run);
                }

                if (refused > run.refused) {
                    run.refused = refused;
                    run.last = doc.time;
                    run.since = run.since || doc.time;

                } else if (run.last && doc.time - run.last > RECENT) {
                    run.since = run.last = null;
                }
            }
        }
    },

    run(tenant, limit) {
        const run = this.runs.get(JSON.stringify([tenant, limit]));
        return run && run.last ? run : null;
    },
};
