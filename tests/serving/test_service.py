"""The service as it was written: log-ins and refusals, sessions, what is shut, and what outlives a killed Hub."""

from __future__ import annotations

import json
import time
import uuid

import pytest
import requests
import websocket

from audit_kernel.investigation.launch import address
from audit_kernel.site import create_site
from audit_kernel.use_log import FILE
from tests.serving.stack import Stack, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.requires("configurable-http-proxy")]
LOGIN_COOKIE = "jupyterhub-hub-login"
TOO_WEAK = {
    "sv": "Du loggade in på ett sätt som inte är starkt nog här.",
    "nb-NO": "Du logget inn på en måte som ikke er sterk nok her.",
    "en": "You logged in in a way that is not strong enough here.",
    "fr": "Du loggade in på ett sätt som inte är starkt nog här.",
}
OPENS = {"INA": address("investigate"), "AUD": address("audit")}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with Stack(folder / "serve", create_site(folder / "site", "SE", "Testregionen").folder) as running:
        yield running


@pytest.fixture(scope="module")
def investigator(stack):
    """An investigator whose server runs, and its page."""
    session, answer = stack.log_in("INA")
    return session, stack.open_server(session, answer, "se100-ina")


def use_log(stack):
    lines = (stack.site / "journals" / FILE).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["entry"] for line in lines]


def post(session, stack, path, **body):
    """Post as a page of the person's own server does."""
    token = next(each.value for each in session.cookies if each.name == "_xsrf" and each.path.startswith("/user/"))
    return session.post(f"{stack.origin}{path}", json=body, headers={"X-XSRFToken": token}, timeout=60)


class Kernel:
    """A kernel of the investigator's server, asked over its web socket through the proxy."""

    def __init__(self, stack, session, number):
        self.url = f"{stack.origin.replace('http', 'ws')}/user/se100-ina/api/kernels/{number}/channels"
        self.cookies = "; ".join(
            f"{each.name}={each.value}" for each in session.cookies if "/user/se100-ina/".startswith(each.path)
        )
        self.socket = self.connect()

    def connect(self):
        return websocket.create_connection(self.url, cookie=self.cookies, timeout=60)

    def run(self, code):
        """Return what an expression is worth."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
        content = {"code": "", "silent": False, "user_expressions": {"value": code}}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer["msg_type"] == "execute_reply" and answer["parent_header"].get("msg_id") == number:
                return answer["content"]["user_expressions"]["value"]["data"]["text/plain"]


@pytest.mark.parametrize(("name", "role"), [("INA", "investigator"), ("RUT", "reviewer"), ("ODD", "operator")])
def test_who_is_in_a_group_of_a_role_is_let_in_with_a_cookie_that_ends_with_the_browser(stack, name, role):
    session, answer = stack.log_in(name)
    assert answer.status_code == 302
    assert {each.name: each.expires for each in session.cookies}[LOGIN_COOKIE] is None
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    (line,) = [each for each in use_log(stack)[-1:] if each["activity"] == "login"]
    assert (line["who"], line["roles"]) == (f"se100-{name.lower()}", [role])


@pytest.mark.parametrize("language", TOO_WEAK)
def test_a_weak_log_in_is_refused_with_a_sentence_in_the_reader_s_language(stack, language):
    session, answer = stack.log_in("WEA", language)
    assert answer.status_code == 403
    assert TOO_WEAK[language] in answer.content.decode()
    assert LOGIN_COOKIE not in session.cookies
    assert use_log(stack)[-1] | {"reason": "too_weak", "who": "se100-wea"} == use_log(stack)[-1]


@pytest.mark.parametrize(("name", "reason"), [("OUT", "no_role"), ("NOBODY", "no_name")])
def test_who_has_no_role_or_no_name_is_refused(stack, name, reason):
    session, answer = stack.log_in(name)
    assert (answer.status_code, LOGIN_COOKIE in session.cookies) == (403, False)
    assert use_log(stack)[-1]["reason"] == reason


@pytest.mark.parametrize("kind", ["signature", "unsigned", "shared-key", "audience", "issuer", "expired", "nonce"])
def test_a_forged_id_token_is_refused_and_its_claims_are_believed_in_nothing(stack, kind):
    stack.forge(kind)
    try:
        session, answer = stack.log_in("INA")
    finally:
        stack.forge("nothing")
    assert (answer.status_code, LOGIN_COOKIE in session.cookies) == (403, False)
    line = use_log(stack)[-1]
    assert (line["activity"], line["reason"]) == ("refusal", "not_verified")
    assert "who" not in line


def test_the_page_of_the_role_opens_and_loads_from_nowhere_else(stack, investigator):
    _session, page = investigator
    assert page.url.split("?")[0] == f"{stack.origin}/user/se100-ina{OPENS['INA']}"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'unsafe-eval' blob: 'sha256-")
    assert "http:" not in policy
    assert "*" not in policy
    assert {"login", "server_start"} <= {each["activity"] for each in use_log(stack) if each.get("who") == "se100-ina"}


@pytest.mark.parametrize("path", ["terminals", "api/terminals", "files/notebooks/investigate.ipynb"])
def test_terminals_and_downloads_are_shut(stack, investigator, path):
    session, _page = investigator
    assert session.get(f"{stack.origin}/user/se100-ina/{path}", timeout=60).status_code in {403, 404}


def test_no_terminal_and_no_converted_notebook_is_made(stack, investigator):
    session, _page = investigator
    assert post(session, stack, "/user/se100-ina/api/terminals").status_code in {403, 404}
    assert post(session, stack, "/user/se100-ina/api/contents/notebooks", type="file").status_code == 201
    converted = f"{stack.origin}/user/se100-ina/nbconvert/html/notebooks/investigate.ipynb?download=true"
    assert session.get(converted, timeout=60).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "api/contents/../../../etc/passwd",
        "api/contents/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "static/../../etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_server_s_folder(stack, investigator, path):
    session, _page = investigator
    request = session.prepare_request(requests.Request("GET", stack.origin))
    request.url = f"{stack.origin}/user/se100-ina/{path}"
    request.prepare_cookies(session.cookies)
    answer = session.send(request, timeout=60)
    assert answer.status_code in {400, 403, 404}
    assert "root:" not in answer.text


def test_nobody_reaches_another_person_s_server(stack, investigator):
    other, _answer = stack.log_in("RUT")
    assert "last_activity" in investigator[0].get(f"{stack.origin}/user/se100-ina/api/status", timeout=60).json()
    assert other.get(f"{stack.origin}/user/se100-ina/api/status", timeout=60).status_code == 403
    assert other.get(f"{stack.origin}/user/se100-ina/", timeout=60).status_code == 403
    assert requests.get(f"{stack.origin}/user/se100-ina/api/status", timeout=60).status_code == 403


def test_nobody_makes_a_token_or_sees_the_administrator_s_page(stack):
    session, _answer = stack.log_in("RUT")
    session.get(f"{stack.origin}/hub/home", timeout=60)
    token = next(each.value for each in session.cookies if each.name == "_xsrf" and each.path == "/hub/")
    made = session.post(f"{stack.origin}/hub/api/users/se100-rut/tokens", headers={"X-XSRFToken": token}, json={})
    assert made.status_code in {403, 404}
    assert session.get(f"{stack.origin}/hub/admin", timeout=60).status_code == 403
    assert "<form" not in session.get(f"{stack.origin}/hub/token", timeout=60).text
    assert session.get(f"{stack.origin}/hub/api/users", timeout=60).status_code == 403


@pytest.mark.parametrize(
    "path", ["{proxy}/api/routes", "{hub}/hub/api/users", "{hub}/hub/api/proxy", "{hub}/hub/metrics"]
)
def test_who_is_on_the_machine_and_has_no_token_learns_nothing_from_the_apis(stack, path):
    _login, _proxy, api, hub = stack.ports
    url = path.format(proxy=f"http://127.0.0.1:{api}", hub=f"http://127.0.0.1:{hub}")
    for headers in ({}, {"Authorization": "token x"}, {"Authorization": "token "}):
        answer = requests.get(url, headers=headers, timeout=10, allow_redirects=False)
        assert answer.status_code == 403
        assert "se100" not in answer.text


def test_a_session_goes_on_while_hub_and_proxy_are_killed(stack, investigator):
    session, _page = investigator
    number = post(session, stack, "/user/se100-ina/api/kernels").json()["id"]
    kernel = Kernel(stack, session, number)
    assert kernel.run("globals().setdefault('kept', 41)") == "41"
    stack.kill("hub")
    assert kernel.run("kept + 1") == "42"
    begun = time.monotonic()
    stack.start("hub")
    stack.wait()
    print(f"the Hub is back after {time.monotonic() - begun:.1f} s")
    assert kernel.run("kept + 2") == "43"
    kernel.socket.close()
    stack.kill("proxy")
    stack.start("proxy")
    begun = time.monotonic()
    there = f"{stack.origin}/user/se100-ina/api/kernels/{number}"
    wait_for("the route", lambda: session.get(there, timeout=60, allow_redirects=False).status_code == 200)
    print(f"the route is back after {time.monotonic() - begun:.1f} s")
    kernel.socket = kernel.connect()
    assert kernel.run("kept") == "41"
    kernel.socket.close()


def test_a_copied_cookie_is_worth_nothing_after_the_log_out_and_the_server_has_ended(stack):
    session, answer = stack.log_in("AUD")
    assert stack.open_server(session, answer, "se100-aud").url.split("?")[0].endswith(OPENS["AUD"])
    copied = requests.Session()
    copied.cookies.update(session.cookies)
    inside = f"{stack.origin}/user/se100-aud/api/status"
    home = f"{stack.origin}/hub/home"
    assert "last_activity" in copied.get(inside, timeout=60, allow_redirects=False).json()
    assert copied.get(home, timeout=60, allow_redirects=False).status_code == 200
    assert session.get(f"{stack.origin}/hub/logout", timeout=60).status_code == 200
    away = copied.get(home, timeout=60, allow_redirects=False)
    assert (away.status_code, "/hub/login" in away.headers["Location"]) == (302, True)
    refused = copied.get(inside, timeout=60, allow_redirects=False)
    assert refused.status_code in {302, 303, 403, 404, 424, 503}
    assert "last_activity" not in refused.text
    assert "logout" in {each["activity"] for each in use_log(stack) if each.get("who") == "se100-aud"}
    wait_for("the server's end", lambda: not (stack.runtime / "se100-aud").exists())


def test_an_outside_probe_learns_which_part_fails_and_nothing_else(stack):
    probe = f"{stack.origin}/hub/audit-kernel/probe"
    assert requests.get(probe, timeout=60).json() == {"database": True, "proxy": True, "site": True}
    hidden = stack.site / "settings.yml"
    aside = hidden.rename(hidden.with_name("aside.yml"))
    try:
        answer = wait_for(
            "the change", lambda: [each for each in [requests.get(probe, timeout=60)] if each.status_code == 503]
        )
    finally:
        aside.rename(hidden)
    assert answer[0].json() == {"database": True, "proxy": True, "site": False}
    assert wait_for("the way back", lambda: requests.get(probe, timeout=60).status_code == 200)


def test_neither_secrets_nor_codes_stand_in_the_hub_s_log(stack, investigator):
    stack.log_in("WEA")
    log = stack.log()
    assert investigator[1].status_code == 200
    secrets = [path.read_text().strip().rpartition("=")[2] for path in (stack.folder / "secrets").iterdir()]
    secrets += ["not-a-real-secret", "id_token="]
    assert [each for each in secrets if each in log] == []
    assert "code=[secret]" in log
    assert [line for line in log.splitlines() if "oauth_callback?code=" in line and "code=[secret]" not in line] == []
