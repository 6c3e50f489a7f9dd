# Copyright (C) The wholesale gateway authors

"""What is measured, each with its configuration: nginx alone, the gateway, and
the peers that do the same."""

import hashlib
import json
import pathlib
import secrets
import shutil
import subprocess
import sys

from process import Nginx, Node, write_json
from setting import HERE, MODULE, NGINX, ROOT, SOURCES, URL, timezones


KEY = secrets.token_urlsafe(32)
OVER_KEY = secrets.token_urlsafe(32)    # of the tenant that is over its limit

DEBIANS_NGINX = "/usr/sbin/nginx"
MODULES_PATH = pathlib.Path("/usr/lib/nginx/modules")
LUA_MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
FASTIFY = ROOT / "build" / "fastify"

PROXY_CONF = SOURCES / "module" / "wholesale_proxy.conf"

# answers as Webex does, and costs next to nothing

UPSTREAM = """
    server {
        listen        127.0.0.1:@port@ backlog=1024;
        default_type  application/json;

        location / {
            add_header  Location   @url@ always;
            add_header  trackingid ROUTERGW_52cf576d always;
            return      202        '{"url": "@url@"}';
        }
    }
"""

WEBEX = """
    upstream webex {
        server              127.0.0.1:@upstream@;
        keepalive           256;
        keepalive_requests  1000000000;
    }
"""

PLAIN = WEBEX + """
    server {
        listen  127.0.0.1:@port@ backlog=1024;

        location / {
            proxy_http_version       1.1;
            proxy_set_header         Connection "";
            client_body_buffer_size  64k;
            proxy_pass               http://webex;
        }
    }
"""

# what comes closest to a refusal in nginx itself

BARE = """
    server {
        listen        127.0.0.1:@port@ backlog=1024;
        default_type  application/json;

        location / {
            return  @status@ '@body@';
        }
    }
"""

GATEWAY = """
    wholesale_tenants  tenants.json;
    @redis@

    wholesale_credential webex {
        access_token_file  access_token;
    }
""" + WEBEX + """
    server {
        listen  127.0.0.1:@port@ backlog=1024;

        location /v1/wholesale/ {
            wholesale   on;
            include     @proxy_conf@;
            proxy_pass  http://webex;
        }
    }
"""

# the directives of wholesale_proxy.conf, as far as they are not for TLS

LUA = """
    lua_package_path  "@here@/lua/?.lua;/usr/share/lua/5.1/?.lua;;";
    lua_socket_log_errors  off;
    init_by_lua_block { gateway = require "gateway"; gateway.init("@folder@/") }
""" + WEBEX + """
    server {
        listen  127.0.0.1:@port@ backlog=1024;

        location /v1/wholesale/ {
            access_by_lua_block { gateway.access() }

            proxy_http_version       1.1;
            proxy_set_header         Connection "";
            proxy_set_header         Host webexapis.com;
            proxy_set_header         Accept-Encoding "";
            proxy_next_upstream      off;
            client_body_buffer_size  64k;
            client_max_body_size     64k;

            gunzip            on;
            proxy_redirect    https://webexapis.com/ http://$http_host/;
            sub_filter        "https://webexapis.com/v1/wholesale/"
                              "http://$http_host/v1/wholesale/";
            sub_filter        "https:\\/\\/webexapis.com\\/v1\\/wholesale\\/"
                              "http://$http_host/v1/wholesale/";
            sub_filter_types  application/json;
            sub_filter_once   off;

            proxy_pass  http://webex;
        }
    }
"""

# limits that nobody reaches, as an operator would have them, and one that is

PLENTY = ({"name": "burst", "rate": "1000000/s", "burst": 1000000},
          {"name": "daily", "quota": 1000000000, "window": "1d"})
ONE = ({"name": "one", "quota": 1, "window": "366d"},)

DAY = 86400 * 1000000


class Subject:
    """name: in tables; rewrites: it says that Webex is where it is itself;
    redis: that it asks for its limits, and that answers; or None."""

    def __init__(self, name, process, rewrites=True, redis=None):
        self.name = name
        self.process = process
        self.rewrites = rewrites
        self.redis = redis

    @property
    def port(self):
        return self.process.port

    def start(self):
        self.process.start()
        return self

    def stop(self):
        self.process.stop()


def upstream():
    return Nginx("upstream", UPSTREAM, url=URL)


def plain(upstream, name="nginx proxy_pass"):
    return Subject(name, Nginx(name, PLAIN, upstream=upstream),
                   rewrites=False)


def bare(status, body):
    name = f"nginx return {status}"
    return Subject(name, Nginx(name, BARE, status=status, body=body),
                   rewrites=False)


def gateway(name, upstream, redis=None, port=None, tenants=10,
            limits=PLENTY, timeout="1s"):
    """port: where its Redis is to be reached, if not at Redis's own; timeout:
    clients, Redis and all else share this machine, and a Redis that is given
    no time to answer is not what is to be measured."""

    server = ""

    if redis or port:
        server = (f"wholesale_redis {{ server 127.0.0.1:{port or redis.port}; "
                  f"timeout {timeout}; }}")

    process = Nginx(name, GATEWAY, modules=(MODULE,), upstream=upstream,
                    proxy_conf=PROXY_CONF, redis=server)

    write_tenants(process.folder, tenants, limits)
    return Subject(name, process, redis=redis)


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def write_tenants(folder, number, limits):
    """One that calls, one that is over its limit, and others, each with a key
    of its own."""

    def tenant(key, plan="standard"):
        return {"plan": plan, "keys": [f"sha256:{digest(key)}"]}

    (folder / "access_token").write_text(secrets.token_urlsafe(48))
    write_json(folder / "tenants.json", {
        "plans": {"standard": {"limits": list(limits)},
                  "over": {"limits": list(ONE)}},
        "tenants": {"acme": tenant(KEY), "over": tenant(OVER_KEY, "over"),
                    **{f"tenant{i}": tenant(f"key{i}")
                       for i in range(number - 2)}},
    })


# the peers

def peer_settings(folder, redis, script):
    """Of both peers: the same tenants, and limits in their own terms."""

    (folder / "access_token").write_text(secrets.token_urlsafe(48))

    plenty = [{"name": "burst", "kind": "rate", "a": 1000000, "b": 1},
              {"name": "daily", "kind": "quota", "a": 1000000000, "b": DAY}]
    one = [{"name": "one", "kind": "quota", "a": 1, "b": 366 * DAY}]

    return {
        "catalogue": str(SOURCES / "contract/catalogue.json"),
        "timezones": timezones(),
        "redis": redis.port if redis else None,
        "script": str(script),
        "sha": hashlib.sha1(script.read_bytes()).hexdigest(),
        "tenants": {
            "acme": {"digest": digest(KEY), "limits": plenty,
                     "max": 1000000000},
            "over": {"digest": digest(OVER_KEY), "limits": one, "max": 1},
            **{f"tenant{i}": {"digest": digest(f"key{i}"), "limits": plenty,
                              "max": 1000000000} for i in range(8)}},
    }


def lua(name, upstream, redis):
    """None where there is no Lua module: Debian has one for its own nginx."""

    modules = [MODULES_PATH / module for module in LUA_MODULES]

    if NGINX != DEBIANS_NGINX \
            or not all(module.exists() for module in modules):
        print(f"{name}: left out, it takes {DEBIANS_NGINX} and "
              f"{modules[-1]}", file=sys.stderr)
        return None

    process = Nginx(name, LUA, modules=modules, upstream=upstream, here=HERE)
    settings = peer_settings(process.folder, redis, HERE / "lua/limits.lua")
    settings = {name: value for name, value in settings.items()
                if value is not None}
    write_json(process.folder / "settings.json", settings)

    return Subject(name, process, redis=redis)


def fastify(name, upstream, redis):
    """None where there is no Node.js, or no package registry."""

    if shutil.which("node") is None or shutil.which("npm") is None \
            or not install_fastify():
        print(f"{name}: left out, it takes Node.js and npm", file=sys.stderr)
        return None

    process = Node(name, FASTIFY / "server.js")
    settings = peer_settings(process.folder, redis, HERE / "lua/limits.lua")
    write_json(process.folder / "settings.json",
               {**settings, "upstream": upstream, "port": process.port})

    return Subject(name, process, redis=redis)


def install_fastify():
    """What the lock file says, outside of the sources; whether it is there."""

    FASTIFY.mkdir(parents=True, exist_ok=True)

    for path in (HERE / "fastify").iterdir():
        if path.is_file():
            shutil.copy(path, FASTIFY)

    done = subprocess.run(
        ("npm", "ci", "--silent", "--no-audit", "--no-fund",
         "--prefer-offline"), cwd=FASTIFY)

    return done.returncode == 0


def versions():
    """Of what was measured and of what it was measured with."""

    found = {}

    for name, command in (("nginx", (NGINX, "-v")),
                          ("redis-server", ("redis-server", "--version")),
                          ("wrk", ("wrk", "-v")),
                          ("node", ("node", "--version"))):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True)
            found[name] = (done.stdout + done.stderr).strip().splitlines()[0]

    if (FASTIFY / "package-lock.json").exists():
        packages = json.loads((FASTIFY / "package-lock.json").read_text())

        for name in packages["packages"][""]["dependencies"]:
            entry = packages["packages"][f"node_modules/{name}"]
            found[name] = entry["version"]

    return found
