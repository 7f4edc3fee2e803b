"""A log-in service for the tests, run as a program: oidc-provider-mock, which can be told to answer with forgeries."""

from __future__ import annotations

import datetime
import sys

STRONG, WEAK = "http://id.sambi.se/loa/loa3", "http://id.sambi.se/loa/loa2"


GROUPS = {
    "INA": "investigators",
    "EVA": "investigators",
    "RUT": "reviewers",
    "AUD": "auditors",
    "ODD": "operators",
    "OUT": "somebody-else",
}


def people():
    """Everybody whom the service knows: a number, and what it says of them."""
    from oidc_provider_mock import User

    def known(name, group, level=STRONG):
        claims = {"employeeHsaId": f"SE100-{name}", "groups": [group], "acr": level}
        return User(sub=f"number-of-{name}", claims=claims)

    nobody = User(sub="number-of-NOBODY", claims={"groups": ["investigators"], "acr": STRONG})
    return [*(known(name, group) for name, group in GROUPS.items()), known("WEA", "investigators", WEAK), nobody]


def forged(kind, token, client):
    """Return an id_token in which one thing is wrong."""
    import flask
    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    claims = jwt.decode(token, options={"verify_signature": False})
    now = datetime.datetime.now(datetime.UTC)
    changes = {
        "audience": {"aud": "another-client"},
        "issuer": {"iss": "https://another.example"},
        "expired": {"exp": now - datetime.timedelta(hours=1)},
        "nonce": {"nonce": "of-another-log-in"},
    }
    if kind == "unsigned":
        return jwt.encode(claims, None, algorithm="none")
    if kind == "shared-key":  # signed with what everybody can read: the confusion of a public key with a secret
        return jwt.encode(claims, client, algorithm="HS256")
    if kind == "signature":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = jwt.PyJWK(flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True), algorithm="RS256").key
    return jwt.encode(claims | changes.get(kind, {}), key, algorithm="RS256")


def main(port):
    import flask
    import oidc_provider_mock
    import werkzeug.serving

    app = oidc_provider_mock.app(user_claims=people())
    state = {"kind": ""}

    @app.get("/forge/<kind>")
    def forge(kind):
        state["kind"] = "" if kind == "nothing" else kind
        return kind

    @app.after_request
    def replace(response):
        if flask.request.path == "/oauth2/token" and state["kind"]:
            answer = response.get_json()
            answer["id_token"] = forged(state["kind"], answer["id_token"], "audit-kernel" * 4)
            response.set_data(flask.json.dumps(answer))
        return response

    werkzeug.serving.make_server("localhost", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
