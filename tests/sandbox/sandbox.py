#!/usr/bin/python3

# Copyright (C) The wholesale gateway authors

"""A stand-in for webexapis.com, over HTTP and TLS.

It keeps customers in memory, answers as Webex does (webex.py), records every
request byte for byte, and does what it is told on its control port
(control.py).  When it is ready it prints one line of JSON: its ports, and the
files that a gateway needs to reach it.
"""

import argparse
import asyncio
import json
import pathlib
import signal
import socket
import ssl
import struct
import sys
import time

import certificate
import control
import webex
import wire


# options, and the names of the files that they are written to
SECRETS = ("access_token", "client_secret", "refresh_token")

# a connection that was told to end by a reset: linger on, for 0 seconds
RESET = struct.pack("ii", 1, 0)


class Server:
    """Serves connections; "answer" makes the answers."""

    def __init__(self, state):
        self.state = state
        self.connections = 0
        self.tasks = set()

    async def on_connection(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        self.connections += 1

        try:
            await self.serve(reader, writer, self.connections)

        except (ConnectionError, ssl.SSLError, asyncio.LimitOverrunError):
            pass                    # the peer's affair

        except asyncio.CancelledError:
            pass                    # the end of the sandbox

        finally:
            self.tasks.discard(task)
            writer.close()

    async def serve(self, reader, writer, number):
        tls = writer.get_extra_info("ssl_object") is not None
        keep = True

        while keep:
            request = await wire.read_request(
                reader, number, time.time, tls,
                lambda: writer.write(b"HTTP/1.1 100 Continue\r\n\r\n"))

            if request is None:
                return

            self.arrived(request)

            if not request.complete:
                return

            keep = await self.respond(request, reader, writer)
            await writer.drain()

    def close_asked(self, request):
        return (request.version != "HTTP/1.1"
                or (request.header("Connection") or "").lower() == "close")


class ControlServer(Server):
    def arrived(self, request):
        pass

    async def respond(self, request, reader, writer):
        close = self.close_asked(request)
        answer = self.state.answer(request)

        writer.writelines(wire.encode(answer, request, False, False, close))
        return not close


class WebexServer(Server):
    def arrived(self, request):
        self.state.record.add(request)

    async def respond(self, request, reader, writer):
        fault = self.state.take_fault(request)
        answer = None

        if fault is not None:
            if fault.delay:
                await asyncio.sleep(fault.delay)

            if fault.never:
                self.state.answered(request, None)
                await self.silence(reader)
                return False

            answer = fault.answer()

        if answer is None:
            answer = self.state.webex.answer(request)

        spoiled = fault is not None and (fault.raw is not None or fault.cut)
        self.state.answered(request, None if spoiled else answer.status)
        close = self.close_asked(request)

        head, body = wire.encode(answer, request, self.wants_gzip(request),
                                 self.state.settings["chunked"], close)

        if spoiled:
            writer.write(self.remains(fault, head, body))
            await writer.drain()

            if fault.reset:
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()

            return False

        writer.write(head + body)
        return not close

    async def silence(self, reader):
        """Until the client goes, or the faults are cleared."""

        gone = asyncio.ensure_future(reader.read())
        released = asyncio.ensure_future(self.state.released.wait())

        _, pending = await asyncio.wait((gone, released),
                                        return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    def remains(self, fault, head, body):
        if fault.raw is not None:
            return fault.raw

        if fault.cut == "before":
            return b""

        if fault.cut == "head":
            return head[:len(head) // 2 if fault.bytes is None
                        else fault.bytes]

        return head + body[:len(body) // 2 if fault.bytes is None
                           else fault.bytes]

    def wants_gzip(self, request):
        mode = self.state.settings["gzip"]

        return mode == "always" or (
            mode == "asked"
            and "gzip" in (request.header("Accept-Encoding") or ""))


def parse_options():
    parser = argparse.ArgumentParser(
        description="A stand-in for webexapis.com.",
        epilog="Ports are any that are free where not given, secrets are "
               "random; FOLDER holds them, and the certificates, in files. "
               "What it holds already is used.")

    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="for HTTP")
    parser.add_argument("--tls-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--origin", default="https://webexapis.com",
                        help="what URLs in answers begin with")
    parser.add_argument("--access-token")
    parser.add_argument("--client-id", default="C0ffee")
    parser.add_argument("--client-secret")
    parser.add_argument("--refresh-token")
    parser.add_argument("--customer", action="append", default=[],
                        help="beside the reference customer; repeatable")
    parser.add_argument("--any-customer", action="store_true",
                        help="an unknown customer comes to be by its update")
    parser.add_argument("--update-seconds", type=float, default=1.0,
                        help='how long a customer is "updating"')
    parser.add_argument("--record", type=int, default=20000, metavar="N",
                        help="how many requests are kept (20000)")

    options = parser.parse_args()
    options.folder = options.folder.resolve()

    return options


def settle_secrets(options):
    """Those that were given, those that the folder holds, or new ones."""

    for name in SECRETS:
        path = options.folder / name
        secret = getattr(options, name)

        if secret is None and path.exists():
            setattr(options, name, path.read_text().strip())
            continue

        if secret is None:
            secret = webex.new_token()
            setattr(options, name, secret)

        path.touch(mode=0o600)
        path.write_text(secret + "\n")


async def run(options):
    options.folder.mkdir(parents=True, exist_ok=True)
    settle_secrets(options)
    authority, chain, key = (certificate.find(options.folder)
                             or certificate.make(options.folder))

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)

    state = control.Control(
        webex.Webex(options.origin, options.access_token, options.client_id,
                    options.client_secret, options.refresh_token,
                    options.customer, any_customer=options.any_customer,
                    update_seconds=options.update_seconds),
        options.record)

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    servers = (WebexServer(state), ControlServer(state))

    listening = [
        await asyncio.start_server(server.on_connection, options.host, port,
                                   ssl=context, backlog=1024,
                                   limit=wire.HEAD_MAX)
        for server, port, context in (
            (servers[0], options.port, None),
            (servers[0], options.tls_port, tls),
            (servers[1], options.control_port, None))]

    port, tls_port, control_port = (
        server.sockets[0].getsockname()[1] for server in listening)

    print(json.dumps({
        "port": port,
        "tls_port": tls_port,
        "control_port": control_port,
        "authority": str(authority),
        "access_token_file": str(options.folder / "access_token"),
        "client_id": options.client_id,
        "client_secret_file": str(options.folder / "client_secret"),
        "refresh_token_file": str(options.folder / "refresh_token"),
        "customer": webex.REFERENCE_CUSTOMER,
    }), flush=True)

    await ended.wait()

    for server in listening:
        server.close()

    tasks = [task for server in servers for task in server.tasks]

    for task in tasks:
        task.cancel()

    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    try:
        asyncio.run(run(parse_options()))
    except OSError as e:
        sys.exit(f"sandbox: {e}")
