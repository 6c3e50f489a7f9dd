
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_SCRIPT_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_SCRIPT_H_INCLUDED_


#include <wholesale_limit.h>


/*
 * The scripts that run inside Redis, for Redis 6.2 to 8 and Valkey.
 *
 * The first one counts a request.  KEYS are the counters, and then the pauses.
 * For each counter there are four ARGV: "rate", window, interval; or "quota",
 * quota, window; and then 1, or 0 in dry run.  A pause is a time up to which
 * nobody is let in; there is nothing to say about it in ARGV.
 *
 * The answer: 1 or 0 for let in or not, Redis's time, and each counter and
 * pause as it was before, "" where there was none.  Numbers are strings that
 * %.0f made: Lua itself writes 14 digits of a number, and a time has 16.
 *
 * The arithmetic is that of wholesale_limit.c, on doubles, which hold every
 * whole number up to 2^53 exactly.  A SET that Redis refuses (it is out of
 * memory, or a replica) is the first of them or none: after the first write
 * of a script Redis lets the others pass.
 */


#define NGX_WHOLESALE_REDIS_SCRIPT                                            \
    "local time = redis.call('TIME')\n"                                       \
    "local now = time[1] * 1000000 + time[2]\n"                               \
    "\n"                                                                      \
    "local function rate(state, window, interval)\n"                          \
    "  local arrival = tonumber(state)\n"                                     \
    "  if arrival <= now then\n"                                              \
    "    arrival = now + interval\n"                                          \
    "  elseif arrival - now > window + 1000000 then\n"                        \
    "    arrival = now + window\n"                                            \
    "  else\n"                                                                \
    "    arrival = arrival + interval\n"                                      \
    "  end\n"                                                                 \
    "  return arrival - now <= window, string.format('%.0f', arrival),\n"     \
    "         arrival\n"                                                      \
    "end\n"                                                                   \
    "\n"                                                                      \
    "local function quota(state, quota, window)\n"                            \
    "  local n, c, p = string.match(state, '^(%d+) (%d+) (%d+)$')\n"          \
    "  n, c, p = tonumber(n), tonumber(c), tonumber(p)\n"                     \
    "  local number = math.floor(now / window)\n"                             \
    "  local current, previous, at = 0, 0, now\n"                             \
    "  if n == number then\n"                                                 \
    "    current, previous = c, p\n"                                          \
    "  elseif n == number - 1 then\n"                                         \
    "    previous = c\n"                                                      \
    "  elseif n > number then\n"                                              \
    "    if n * window - now > 1000000 then\n"                                \
    "      current = quota - 1\n"                                             \
    "    else\n"                                                              \
    "      number, current, previous, at = n, c, p, n * window\n"             \
    "    end\n"                                                               \
    "  end\n"                                                                 \
    "  local left = window - (at - number * window)\n"                        \
    "  local used = current + math.floor(previous * left / window)\n"         \
    "  local value = string.format('%.0f %.0f %.0f', number, current + 1,\n"  \
    "                              previous)\n"                               \
    "  return used + 1 <= quota, value, (number + 2) * window\n"              \
    "end\n"                                                                   \
    "\n"                                                                      \
    "local found, counted, allowed = {}, {}, 1\n"                             \
    "for i, key in ipairs(KEYS) do\n"                                         \
    "  local kind, a, b, enforced = unpack(ARGV, i * 4 - 3, i * 4)\n"         \
    "  local state = redis.call('GET', key) or ''\n"                          \
    "  local check, empty, form = rate, '0', '^%d+$'\n"                       \
    "  if kind == 'quota' then\n"                                             \
    "    check, empty, form = quota, '0 0 0', '^%d+ %d+ %d+$'\n"              \
    "  end\n"                                                                 \
    "  if state ~= '' and not string.find(state, form) then\n"                \
    "    return redis.error_reply('ERR not a counter of the gateway')\n"      \
    "  end\n"                                                                 \
    "  found[i] = state\n"                                                    \
    "  if state == '' then state = empty end\n"                               \
    "  if kind then\n"                                                        \
    "    local fits, value, expires =\n"                                      \
    "        check(state, tonumber(a), tonumber(b))\n"                        \
    "    if fits then\n"                                                      \
    "      local ttl = math.ceil((expires - now) / 1000)\n"                   \
    "      counted[#counted + 1] = {key, value, string.format('%.0f', ttl)}\n"\
    "    elseif enforced == '1' then\n"                                       \
    "      allowed = 0\n"                                                     \
    "    end\n"                                                               \
    "  elseif tonumber(state) > now then\n"                                   \
    "    allowed = 0\n"                                                       \
    "  end\n"                                                                 \
    "end\n"                                                                   \
    "\n"                                                                      \
    "if allowed == 1 then\n"                                                  \
    "  for _, set in ipairs(counted) do\n"                                    \
    "    redis.call('SET', set[1], set[2], 'PX', set[3])\n"                   \
    "  end\n"                                                                 \
    "end\n"                                                                   \
    "\n"                                                                      \
    "return {allowed, string.format('%.0f', now), unpack(found)}\n"


/*
 * The second one sets a pause: KEYS is its key, ARGV how many microseconds it
 * takes from now on.  The answer: 1, or 0 where there is one that ends no
 * sooner.  What is there and is no time is replaced.
 */

#define NGX_WHOLESALE_REDIS_PAUSE_SCRIPT                                      \
    "local time = redis.call('TIME')\n"                                       \
    "local ends = time[1] * 1000000 + time[2] + ARGV[1]\n"                    \
    "local found = redis.call('GET', KEYS[1]) or ''\n"                        \
    "if string.find(found, '^%d+$') and #found < 17\n"                        \
    "   and tonumber(found) >= ends\n"                                        \
    "then\n"                                                                  \
    "  return 0\n"                                                            \
    "end\n"                                                                   \
    "redis.call('SET', KEYS[1], string.format('%.0f', ends),\n"               \
    "           'PX', string.format('%.0f', math.ceil(ARGV[1] / 1000)))\n"    \
    "return 1\n"


/* the script has it in digits; this does not compile if it is another */

typedef char  ngx_wholesale_redis_script_skew_t[
                        (WHOLESALE_CLOCK_SKEW_MAX == 1000000) ? 1 : -1];


#endif /* _NGX_WHOLESALE_REDIS_SCRIPT_H_INCLUDED_ */
