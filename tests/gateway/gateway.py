# Copyright (C) The wholesale gateway authors

"""The gateway under test: nginx with our module, tenants and a token."""

import json
import pathlib
import re

from gateway import http1, http2, secrets
from gateway.nginx import PROXY_CONF, Nginx
from sandbox.client import Sandbox


HERE = pathlib.Path(__file__).parent

CONF = (HERE / "nginx.conf").read_text()

# the update of Webex's documentation, byte for byte
REFERENCE = (HERE / "reference.json").read_bytes()

CUSTOMER = ("Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvNTJjZjU3NmQtNjBhOC00MDdhLWIy"
            "MmMtNDY3YzUxNTkxOTA4")

CUSTOMERS = "/v1/wholesale/customers"

TENANTS = {"acme": {}, "bolt": {}, "closed": {"enabled": False}}


class Gateway(Nginx):
    """Beside nginx: "tenants" is what stands under "tenants" in the tenants
    file, where keys and credential are added; keys["acme"] is acme's key.

    keys: of another gateway, to be shared with it.
    token: what is in the access token's file; None: the sandbox's.
    proxy: directives, {"proxy_read_timeout": "1s"}, to have another value
    than in the wholesale_proxy.conf that is shipped.
    """

    def __init__(self, folder, sandbox: Sandbox, conf=CONF,
                 tenants=None, plans=None, keys=None, token=None, proxy=None,
                 tolerated=(), **values):
        super().__init__(folder, conf, {
            "webex_port": sandbox.port,
            "webex_tls_port": sandbox.tls_port,
            "webex_authority": sandbox.authority,
            **values}, tolerated=tolerated)

        self.keys = {} if keys is None else keys

        self.write_tenants(TENANTS if tenants is None else tenants, plans)
        self.write_token(sandbox.read_secret("access_token")
                         if token is None else token)

        if proxy is not None:
            self.values["wholesale_proxy.conf"] = self.write_proxy_conf(proxy)

    def write_tenants(self, tenants, plans=None):
        for name in tenants:
            self.keys.setdefault(name, secrets.make())

        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tenants.json").write_text(json.dumps({
            "plans": plans or {},
            "tenants": {
                name: {"keys": [secrets.digest(self.keys[name])],
                       "credential": "webex",
                       **({} if "plan" in members else {"limits": []}),
                       **members}
                for name, members in tenants.items()},
        }, indent=2))

    def write_token(self, token):
        """As those who renew tokens do it: a new file, then a rename."""

        new = self.folder / "access_token.new"
        new.write_bytes(token if isinstance(token, bytes) else token.encode())
        new.rename(self.folder / "access_token")

    def write_proxy_conf(self, proxy):
        text = PROXY_CONF.read_text()

        for name, value in proxy.items():
            text = re.sub(rf"^\s*{name}\s.*\n", "", text, flags=re.M)
            text += f"{name} {value};\n"

        (self.folder / "wholesale_proxy.conf").write_text(text)
        return self.folder / "wholesale_proxy.conf"

    @property
    def port(self):
        return self.ports["port"]

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    # requests

    def connect(self, **options):
        return http1.Connection(self.port, **options)

    def connect_http2(self):
        return http2.Connection(self.ports["http2_port"])

    def headers(self, headers=(), tenant="acme", content=True):
        """The fields of an update, with "headers" put over them; a value of
        None takes a field away."""

        defaults = [("Host", f"127.0.0.1:{self.port}"),
                    ("Authorization", f"Bearer {self.keys[tenant]}")]

        if content:
            defaults.append(("Content-Type", "application/json"))

        return http1.fields(defaults, headers)

    def encode_update(self, headers=(), body=REFERENCE, tenant="acme",
                      target=f"{CUSTOMERS}/{CUSTOMER}", method="PUT"):
        return http1.encode(method, target, self.headers(headers, tenant),
                            body)

    def update(self, headers=(), body=REFERENCE, tenant="acme",
               target=f"{CUSTOMERS}/{CUSTOMER}", method="PUT"):
        """One update, on a connection of its own."""

        with self.connect() as connection:
            connection.send(self.encode_update(headers, body, tenant, target,
                                               method))
            return connection.answer(method)

    def get(self, headers=(), tenant="acme", method="GET",
            target=f"{CUSTOMERS}/{CUSTOMER}"):
        with self.connect() as connection:
            return connection.request(
                method, target, self.headers(headers, tenant, content=False))

    def update_http2(self, headers=(), body=REFERENCE, tenant="acme",
                     target=f"{CUSTOMERS}/{CUSTOMER}", method="PUT",
                     frames=None):
        if isinstance(headers, dict):
            headers = headers.items()

        headers = self.headers([("Host", None), *headers], tenant)

        with self.connect_http2() as connection:
            return connection.request(method, target, headers, body, frames)
