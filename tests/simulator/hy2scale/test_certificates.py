"""Certificates: real ones, so that what reads them can be tried too."""

from cryptography import x509
import pytest

from simulator.hy2scale import Hy2ScaleService

from .conftest import Api


async def listed(api: Api) -> dict[str, dict[str, object]]:
    """Return the rows by id."""
    return {row["id"]: row for row in await api.get("/tls")}


async def test_no_certificates_are_null(api: Api) -> None:
    for identifier in ("default", "mesh-ca", "web", "nobody"):
        await api.delete(f"/tls/{identifier}")

    assert await api.get("/tls") is None


async def test_a_certificate_is_shown_with_its_key(api: Api) -> None:
    answer = await api.get("/tls/web/pem")

    assert "BEGIN CERTIFICATE" in answer["cert"]
    assert "PRIVATE KEY" in answer["key"]
    assert await api.get("/tls/nobody/pem") == {"cert": "", "key": ""}


async def test_making_certificates(api: Api) -> None:
    """1.3 ignores that one shall be an authority."""
    await api.post("/tls/generate", {"id": "own-ca", "domains": ["Own"], "is_ca": True})
    await api.post("/tls/generate", {"id": "vpn", "name": "VPN", "domains": ["vpn"], "days": 2})
    await api.post("/tls/sign", {"ca_id": "mesh-ca", "id": "signed", "cn": "host", "days": 10})

    rows = await listed(api)
    assert (rows["own-ca"]["is_ca"], rows["own-ca"]["not_after"]) == (False, "2027-11-20")
    assert (rows["vpn"]["name"], rows["vpn"]["not_after"]) == ("VPN", "2026-11-22")
    assert (rows["signed"]["subject"], rows["signed"]["issuer"]) == ("host", "Mesh CA")
    assert rows["signed"]["ca_parent_id"] == "mesh-ca"
    own, signed = [
        x509.load_pem_x509_certificate((await api.get(f"/tls/{name}/pem"))["cert"].encode())
        for name in ("mesh-ca", "signed")
    ]
    signed.verify_directly_issued_by(own)


async def test_importing_certificates(api: Api, hy2scale: Hy2ScaleService) -> None:
    pem = await api.get("/tls/web/pem")
    hy2scale.state.files = {"/etc/web.crt": pem["cert"], "/etc/web.key": pem["key"]}
    await api.post("/tls/import", {"id": "one", "cert": pem["cert"]})
    await api.post(
        "/tls/import-path",
        {"id": "two", "name": "Two", "cert_path": "/etc/web.crt", "key_path": "/etc/web.key"},
    )

    rows = await listed(api)
    assert "key_file" not in rows["one"]
    assert rows["one"]["name"] == "one"
    assert (rows["two"]["name"], rows["two"]["key_file"]) == ("Two", "/data/tls/two.key")


@pytest.mark.parametrize(
    "path, body, status, reason",
    [
        ("import", {"id": "x"}, 400, "id, cert required"),
        ("import", {"id": "x", "cert": "nonsense"}, 400, "invalid certificate PEM"),
        ("import-path", {"id": "x"}, 400, "id, cert_path required"),
        ("import-path", {"id": "x", "cert_path": "/no"}, 400, "cannot read the cert"),
        ("generate", {"id": "x"}, 400, "id and domains required"),
        ("sign", {"id": "x"}, 400, "ca_id, id, and cn required"),
        ("sign", {"ca_id": "no", "id": "x", "cn": "x"}, 500, "CA cert not found"),
        ("sign", {"ca_id": "web", "id": "x", "cn": "x"}, 500, "selected certificate is not a CA"),
    ],
)
async def test_certificates_are_checked(
    api: Api, path: str, body: object, status: int, reason: str
) -> None:
    assert reason in await api.post(f"/tls/{path}", body, status=status)


async def test_a_test_can_have_one_that_expires(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.issue_certificate("late", days=3)

    assert (await listed(api))["late"]["not_after"] == "2026-11-23"
