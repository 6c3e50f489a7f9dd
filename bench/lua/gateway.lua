-- Copyright (C) The wholesale gateway authors

-- The peer: the same four jobs as a team with OpenResty's modules would write
-- them by hand, and as fast as we can make it.  All that can be done once is
-- done when nginx starts; a request makes no table that it does not need; its
-- limits are one EVALSHA over a pooled connection.
--
-- It does less than the gateway: it finds the first problem of an update and
-- not all, does not see a member that comes twice, adds no RateLimit fields and
-- no tracking id, and has no counters of its own for when Redis fails.

local cjson = require "cjson"
local ffi = require "ffi"

local byte, concat, find = string.byte, table.concat, string.find
local format, lower, sub = string.format, string.lower, string.sub
local floor, tonumber, type = math.floor, tonumber, type
local ipairs, next, pairs = ipairs, next, pairs
local ngx = ngx
local tcp = ngx.socket.tcp

local ADDRESS_LINE_MAX = 50
local LOCATION_NAME_MAX = 80
local LIMIT_MAX = 9007199254740991
local BODY_MAX = 65536

local DIGEST_SIZE = 32
local REDIS_TIMEOUT = 1000              -- ms: there is nothing to fall back on
local POOL = { pool = "limits", pool_size = 512 }
local POOL_IDLE = 60000                 -- ms

ffi.cdef "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);"

cjson.decode_invalid_numbers(false)

local digest = ffi.new("unsigned char[?]", DIGEST_SIZE)

local tenants = {}
local token
local known = {}                        -- packages: what each needs, or true
local countries = {}
local timezones = {}
local redis = {}

local M = {}


-- what is done once

local function read(name)
    local file = assert(io.open(name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end


local function bulk(text)
    text = tostring(text)
    return "$" .. #text .. "\r\n" .. text .. "\r\n"
end


-- all of a tenant's command but the customer is known: it is made now

local function command(name, limits, sha)
    local keys, arguments = {}, {}

    for i, limit in ipairs(limits) do
        keys[i] = bulk(format("peer:{%d:%s}:%s", #name, name, limit.name))

        arguments[#arguments + 1] = bulk(limit.kind)
        arguments[#arguments + 1] = bulk(limit.a)
        arguments[#arguments + 1] = bulk(limit.b)
    end

    return "*" .. (3 + #limits * 4) .. "\r\n" .. bulk("EVALSHA") .. bulk(sha)
           .. bulk(#limits) .. concat(keys) .. concat(arguments)
end


function M.init(folder)
    local settings = cjson.decode(read(folder .. "settings.json"))
    local catalogue = cjson.decode(read(settings.catalogue))

    token = "Bearer " .. read(folder .. "access_token")
    redis.port = settings.redis
    redis.script = read(settings.script)

    for name, package in pairs(catalogue.packages) do
        known[name] = package.needs or true
    end

    for _, name in ipairs(catalogue.countries) do
        countries[name] = true
    end

    for _, name in ipairs(settings.timezones) do
        timezones[name] = true
    end

    for name, tenant in pairs(settings.tenants) do
        local raw = tenant.digest:gsub("%x%x", function(pair)
            return string.char(tonumber(pair, 16))
        end)

        tenants[raw] = {
            name = name,
            command = redis.port
                      and command(name, tenant.limits, settings.sha)
        }
    end
end


-- answers

local function refuse(status, message, errors)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"

    if status == 401 then
        ngx.header["WWW-Authenticate"] = "Bearer"
    end

    ngx.print(cjson.encode({ message = message, errors = errors,
                             type = "about:blank", status = status }))
    return ngx.exit(status)
end


-- 1: whose key it is

local function identify()
    local value = ngx.var.http_authorization

    if not value or lower(sub(value, 1, 7)) ~= "bearer " then
        return nil
    end

    ffi.C.SHA256(ffi.cast("const unsigned char *", value) + 7, #value - 7,
                 digest)

    return tenants[ffi.string(digest, DIGEST_SIZE)]
end


-- 2: the limits, of which all are one command

local function line(socket)
    local text, err = socket:receive("*l")

    if not text then
        return nil, err
    end

    local kind = byte(text)

    if kind == 45 then                          -- "-"
        return nil, text
    end

    return tonumber(sub(text, 2))
end


local function call(socket, data)
    local ok, err = socket:send(data)

    if not ok then
        return nil, err
    end

    -- {allowed, microseconds to wait}

    local n
    n, err = line(socket)

    if not n then
        return nil, err
    end

    local allowed = line(socket)
    local wait = line(socket)

    return allowed, wait
end


local function take(tenant)
    local socket = tcp()
    socket:settimeout(REDIS_TIMEOUT)

    local ok, err = socket:connect("127.0.0.1", redis.port, POOL)

    if not ok then
        return nil, err
    end

    local allowed, wait = call(socket, tenant.command)

    if not allowed and wait and find(wait, "NOSCRIPT", 1, true) then
        socket:send("*3\r\n" .. bulk("SCRIPT") .. bulk("LOAD")
                    .. bulk(redis.script))
        socket:receive("*l")
        socket:receive("*l")
        allowed, wait = call(socket, tenant.command)
    end

    if not allowed then
        socket:close()
        return nil, wait
    end

    socket:setkeepalive(POOL_IDLE)
    return allowed, wait
end


-- 3: the contract

local function length(text)
    local n = #text

    -- no text has more characters than bytes

    if not find(text, "[\128-\255]") then
        return n
    end

    local characters = 0

    for i = 1, n do
        local ch = byte(text, i)

        if ch < 128 or ch >= 192 then
            characters = characters + 1
        end
    end

    return characters
end


local function text(object, name, required, most, check)
    local value = object[name]

    if value == nil or value == cjson.null or value == "" then
        if required then
            return name .. ": required, but missing"
        end

        return nil
    end

    if type(value) ~= "string" then
        return name .. ": has to be a string"
    end

    if find(value, "%c") then
        return name .. ": has a control character in it"
    end

    if most and #value > most and length(value) > most then
        return name .. ": has too many characters"
    end

    if check then
        return check(name, value)
    end
end


local function is_object(value)
    return type(value) == "table" and (next(value) == nil
                                       or type(next(value)) == "string")
end


local function country(name, value)
    if not countries[value] then
        return name .. ": is not an ISO 3166-1 alpha-2 code"
    end
end


local function timezone(name, value)
    if not timezones[value] then
        return name .. ": is not a time zone of the IANA database"
    end
end


local function language(name, value)
    if not find(value, "^%a%a$") and not find(value, "^%a%a_%a%a$") then
        return name .. ": is not a language such as en or en_us"
    end
end


local function email(name, value)
    if #value > 254
       or not find(value, "^[%w!#$%%&'*+/=?^_`{|}~.-]+@[%w-]+%.[%w.-]*%a[%w-]*$")
       or find(value, "..", 1, true)
    then
        return name .. ": is not one e-mail address"
    end
end


local function address(value)
    if not is_object(value) then
        return "address: has to be an object"
    end

    return text(value, "addressLine1", true, ADDRESS_LINE_MAX)
           or text(value, "addressLine2", false, ADDRESS_LINE_MAX)
           or text(value, "city", true)
           or text(value, "stateOrProvince")
           or text(value, "zipOrPostalCode")
           or text(value, "country", true, nil, country)
end


local function calling(value)
    local location = value.location

    if not is_object(value) or not is_object(location) then
        return "calling: has to be an object with a location"
    end

    return text(location, "name", true, LOCATION_NAME_MAX)
           or address(location.address)
           or text(location, "timezone", true, nil, timezone)
           or text(location, "language", true, nil, language)
           or text(location, "emergencyLocationIdentifier")
end


local function limits(value)
    if not is_object(value) then
        return "limits: has to be an object"
    end

    for name, limit in pairs(value) do
        if not known[name] then
            return name .. ": is not a known package"
        end

        if limit ~= cjson.null
           and (type(limit) ~= "number" or limit < 0 or limit > LIMIT_MAX
                or limit ~= floor(limit))
        then
            return name .. ": has to be a whole number"
        end
    end
end


local function parameters(value)
    if not is_object(value) then
        return "provisioningParameters: has to be an object"
    end

    local part = value.calling

    if part ~= nil and part ~= cjson.null then
        local problem = is_object(part) and calling(part)
                        or not is_object(part) and "calling: has to be an object"

        if problem then
            return problem
        end
    end

    part = value.meetings

    if part ~= nil and part ~= cjson.null then
        local problem = not is_object(part) and "meetings: has to be an object"
                        or text(part, "timezone", false, nil, timezone)

        if problem then
            return problem
        end
    end

    part = value.packages

    if part ~= nil and part ~= cjson.null then
        if not is_object(part) then
            return "packages: has to be an object"
        end

        if part.limits ~= nil and part.limits ~= cjson.null then
            return limits(part.limits)
        end
    end
end


local function packages(value)
    if type(value) ~= "table" or value[1] == nil then
        return "packages: has to be a list of packages"
    end

    local listed = {}

    for _, name in ipairs(value) do
        if type(name) ~= "string" or not known[name] then
            return "packages: " .. tostring(name) .. " is not a known package"
        end

        listed[name] = true
    end

    for name in pairs(listed) do
        local needs = known[name]

        if needs ~= true then
            local met = false

            for _, need in ipairs(needs) do
                met = met or listed[need]
            end

            if not met then
                return "packages: " .. name .. " needs another package"
            end
        end
    end
end


local function validate(body)
    local ok, update = pcall(cjson.decode, body)

    if not ok or not is_object(update) then
        return "the body is not a JSON object"
    end

    if update.externalId == "" then
        return "externalId: is empty"
    end

    local problem = text(update, "externalId") or packages(update.packages)

    if problem then
        return problem
    end

    if update.address ~= nil and update.address ~= cjson.null then
        problem = address(update.address)

        if problem then
            return problem
        end
    end

    local part = update.provisioningParameters

    if part ~= nil and part ~= cjson.null then
        problem = parameters(part)

        if problem then
            return problem
        end
    end

    return text(update, "subPartnerAdminEmail", false, nil, email)
end


-- 4: the token; addresses are nginx's proxy_redirect and sub_filter

local function swap()
    ngx.req.set_header("Authorization", token)
    ngx.req.clear_header("X-API-Key")
    ngx.req.clear_header("Proxy-Authorization")
end


local function body()
    ngx.req.read_body()

    local data = ngx.req.get_body_data()

    if data then
        return data
    end

    local name = ngx.req.get_body_file()
    return name and read(name) or ""
end


function M.access()
    if ngx.req.get_method() ~= "PUT" then
        return refuse(405, "The call is not made by this method.", {})
    end

    local tenant = identify()

    if not tenant then
        return refuse(401, "The key is missing, or not known.", {})
    end

    if tenant.command then
        local allowed, wait = take(tenant)

        if not allowed then
            ngx.log(ngx.ERR, "redis: ", wait)

        elseif allowed == 0 then
            ngx.header["Retry-After"] = math.max(1, math.ceil(wait / 1e6))
            return refuse(429, "A limit is reached.", {})
        end
    end

    local type = ngx.var.content_type

    if not type or not find(lower(type), "^application/json%s*;?") then
        return refuse(415, "The body has to be application/json.", {})
    end

    if (tonumber(ngx.var.content_length) or 0) > BODY_MAX then
        return refuse(413, "The body is too large.", {})
    end

    local problem = validate(body())

    if problem then
        return refuse(400, "The update is not valid.",
                      { { description = problem } })
    end

    swap()
end


return M
