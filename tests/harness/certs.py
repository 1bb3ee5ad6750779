"""A certificate authority of the test's own, made with the openssl command. SPDX-License-Identifier: MIT"""

import subprocess


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="Test Authority"):
        self.folder = folder
        self.cert, self.key = folder / "ca.pem", folder / "ca.key"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        uses = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl(
            "req", "-x509", *curve, "-keyout", self.key, "-out", self.cert, "-days", "2", "-subj", f"/CN={name}", *uses
        )

    def issue(self, name, hosts, days=2):
        """Certificate and key files for these DNS names."""
        cert, key, ask, more = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        more.write_text("subjectAltName=" + ",".join(f"DNS:{h}" for h in hosts) + "\nbasicConstraints=CA:FALSE\n")
        openssl(
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            key,
            "-out",
            ask,
            "-subj",
            f"/CN={hosts[0]}",
        )
        sign = ["-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", str(days), "-extfile", more]
        openssl("x509", "-req", "-in", ask, "-out", cert, *sign)
        return cert, key
