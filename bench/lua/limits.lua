-- All limits of a request in one call, inside Redis: the gateway's own
-- arithmetic, without what only the gateway needs (pauses, dry runs, what
-- remains).  KEYS: a counter each; ARGV, three each: "rate", window, interval,
-- or "quota", quota, window; microseconds.  Answers 1 or 0, and how long to
-- wait.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local counted, wait = {}, 0

for i, key in ipairs(KEYS) do
  local kind, a, b = ARGV[i * 3 - 2], tonumber(ARGV[i * 3 - 1]),
                     tonumber(ARGV[i * 3])
  local state = redis.call('GET', key)

  if kind == 'rate' then
    local arrival = math.max(tonumber(state or 0), now) + b

    if arrival - now <= a then
      counted[#counted + 1] = {key, string.format('%.0f', arrival),
                               math.ceil((arrival - now) / 1000)}
    else
      wait = math.max(wait, arrival - now - a)
    end

  else
    local number, current, previous = math.floor(now / b), 0, 0

    if state then
      local n, c, p = string.match(state, '^(%d+) (%d+) (%d+)$')
      n = tonumber(n)

      if n == number then
        current, previous = tonumber(c), tonumber(p)
      elseif n == number - 1 then
        previous = tonumber(c)
      end
    end

    local left = (number + 1) * b - now

    if current + math.floor(previous * left / b) < a then
      counted[#counted + 1] = {
        key, string.format('%.0f %.0f %.0f', number, current + 1, previous),
        math.ceil((left + b) / 1000)}
    else
      wait = math.max(wait, left)
    end
  end
end

if #counted == #KEYS then
  for _, set in ipairs(counted) do
    redis.call('SET', set[1], set[2], 'PX', string.format('%.0f', set[3]))
  end

  return {1, 0}
end

return {0, wait}
