"""nginx, the Hub and its proxy together: one logs in with an own device, and nobody goes round nginx."""

from __future__ import annotations

import json

import pytest
import requests

from audit_kernel.investigation.launch import address
from audit_kernel.serving.settings import DEVICE_HEADER, SECRET_HEADER, SERIAL_HEADER
from audit_kernel.site import Site, create_site
from audit_kernel.use_log import FILE
from tests.evidence.browser import QUIET
from tests.investigation.lab_browser import CHROMIUM
from tests.serving.door import SECRET, Door, Pki
from tests.serving.stack import PATIENCE, Stack
from tests.serving.test_devices import issued

pytestmark = [pytest.mark.slow, pytest.mark.requires("nginx", "openssl", "configurable-http-proxy")]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The service behind nginx, which alone knows the secret."""
    folder = tmp_path_factory.mktemp("service")
    site = create_site(folder / "site", "SE", "Testregionen").folder
    pki = Pki(folder / "ca")
    pki.issue_tls()
    stack = Stack(folder / "serve", site)
    _login, proxy, _api, hub = stack.ports
    door = Door(Site(site), pki, hub_port=hub, proxy_port=proxy)
    origin = f"https://localhost:{door.settings.port}"
    with (stack.folder / "test_config.py").open("a", encoding="utf-8") as file:
        file.write(f"c.AuditKernelAuthenticator.door_secret = {SECRET!r}\n")
        file.write(f"c.AuditKernelAuthenticator.oauth_callback_url = {origin + '/hub/oauth_callback'!r}\n")
        file.write(f"c.JupyterHub.public_url = {origin!r}\n")
    try:
        laptop = issued(door, "laptop-17")
        door.start()
        with stack:
            stack.origin = origin
            yield stack, door, laptop
    finally:
        door.close()


def test_one_logs_in_with_an_own_device_and_the_use_log_names_it(service):
    stack, door, laptop = service
    session = requests.Session()
    session.trust_env = False  # which would put other certificates in the place of these
    session.cert, session.verify = str(laptop), str(door.pki.folder / "tls.crt")
    session.headers.update({DEVICE_HEADER: "CN=evil", SERIAL_HEADER: "1", SECRET_HEADER: "x"})
    _session, answer = stack.log_in("INA", session=session)
    assert answer.status_code == 302, stack.log()[-3_000:]
    lines = (stack.site / "journals" / FILE).read_text(encoding="utf-8").splitlines()
    first, last = json.loads(lines[0])["entry"], json.loads(lines[-1])["entry"]
    assert (first["activity"], last["activity"]) == ("device_issued", "login")
    assert last["device"].startswith("CN=laptop-17,O=")
    assert last["device_serial"].lower().lstrip("0") == first["device_serial"].lstrip("0")


def test_who_reaches_the_hubs_port_past_nginx_is_refused_whatever_he_says(service):
    stack, _door, _laptop = service
    said = {DEVICE_HEADER: "CN=laptop-17", SERIAL_HEADER: "1", SECRET_HEADER: "guessed"}
    for port in stack.ports[1], stack.ports[3]:
        for headers in ({}, said):
            answer = requests.get(f"http://127.0.0.1:{port}/hub/oauth_login", headers=headers, timeout=30)
            assert answer.status_code == 403


def test_a_probe_from_outside_learns_what_works(service):
    _stack, door, _laptop = service
    status, _headers, text = door.ask(path="/health")
    assert status in {200, 503}  # the store of this site was never filled
    assert set(json.loads(text)) == {"database", "proxy", "site"}
    assert json.loads(text)["proxy"]


def axe_faults(page):
    """Return what axe finds on a page."""
    from axe_playwright_python.sync_playwright import Axe

    return [each["id"] for each in Axe().run(page).response["violations"]]


@pytest.mark.browser
@pytest.mark.requires("chromium")
def test_a_browser_with_a_devices_certificate_comes_to_the_page_and_nothing_is_from_elsewhere(service):
    stack, _door, laptop = service
    playwright = pytest.importorskip("playwright.sync_api", reason="This test drives a browser: pip install playwright")
    inside = (stack.origin, stack.origin.replace("http", "ws"), stack.login_origin, "data:", "blob:")
    outside, violations = [], []

    def seen(each, sender=""):
        if not each.url.startswith(inside) and not sender.startswith(stack.login_origin):
            outside.append(each.url)  # the trial's log-in service loads its own page's style from elsewhere

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        certificate = {"origin": stack.origin, "certPath": laptop, "keyPath": laptop}
        page = browser.new_page(locale="sv-SE", client_certificates=[certificate], ignore_https_errors=True)
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: seen(request, request.headers.get("referer", "")))
        page.on("websocket", seen)
        page.on(
            "console", lambda said: violations.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.goto(stack.origin)
        assert page.inner_text("h1") == "Loggkontroll"
        assert axe_faults(page) == []
        with page.expect_navigation(url=f"{stack.login_origin}/**"):
            page.click("a.button")
        page.click("button[value='number-of-EVA']")
        page.wait_for_selector(".audit-kernel form", state="visible")
        assert page.url.startswith(f"{stack.origin}/user/se100-eva{address('investigate')}")
        assert (outside, violations) == ([], [])
        cookies = {each["name"]: each for each in page.context.cookies(page.url)}
        assert {each["expires"] for name, each in cookies.items() if name != "_xsrf"} == {-1}
        assert {each["sameSite"] for each in cookies.values()} == {"Lax"}
        page.goto(f"{stack.origin}/hub/logout")
        page.goto(f"{stack.origin}/user/se100-eva/")
        page.wait_for_selector("a.button")
        assert "/hub/login" in page.url
        browser.close()
