"""Ed25519 signatures on which libraries disagree, with Byline's verdict on each.

Written by `python tests/vectors/generate_ed25519.py --table`, from a naive
implementation of docs/spec/statement.md, "Signature"; the same cases with their reasons
are tests/vectors/ed25519.json.  `crypto.self_test` tries them all at start.
"""

from __future__ import annotations

from base64 import b64decode

# Three lines to a case: verdict and name; public key and message; signature.
TABLE = """\
accept plain
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
accept plain, no message
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs=
lzrFELerJ7jP6VtQHd9bUPr2t+GdTCp5AeM9erBBFCm1hkSlFUVnFHxvgJZLu8TIKCJXDlBRGUCWBHwJN4H4CQ==
accept A of mixed order, h a multiple of 8
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MTM=
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm0G8csdAqr4W+OUeN6pISPukw87JIP3hxOQ6SZVd15kDA==
accept A and R of mixed order (1, 3) that cancel
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= NQ==
c+dBAkmm4gvRKgfQuDc3Gg/AI0uGV610MfnpHuDYZ+xybMUqrPPs+7wUbaMPNMom2WwsnETV4mxvFE+sv5olDw==
accept A and R of mixed order (4, 4) that cancel
NsJi7WHourhDLsTaUkAA/Quf/pqCd5gJ/wAID2tv5eQ= MQ==
e2+oTSrYCoUXnfir8/0ZnMSBojgYXSBIe0ZDrpinUZK35I/khqkfkD+5UrKplBH2NDLvopL15XQUlkC6qVwIAg==
reject A of small order: multiple 0
AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 1
xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o= OA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 2
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA= MQ==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 3
JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU= MQ==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 4
7P///////////////////////////////////////38= MQ==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 5
JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/IU= MQ==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 6
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= MQ==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: multiple 7
xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA/o= MTA=
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: y = 1, sign bit 1
AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: y = p - 1, sign bit 1
7P////////////////////////////////////////8= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: y = p, sign bit 0
7f///////////////////////////////////////38= MQ==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: y = p, sign bit 1
7f////////////////////////////////////////8= NA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: y = p + 1, sign bit 0
7v///////////////////////////////////////38= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A of small order: y = p + 1, sign bit 1
7v////////////////////////////////////////8= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm1hbnkgbnVtYmVyIGJlbG93IEwgd2lsbCBkbyBoZXJlAA==
reject A and R of small order, S = 0
xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o= Mw==
JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
reject R of small order: multiple 0
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MA==
AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAScGoPTDedl06dwF1wFITmPYUPHwKHP1helHBCdxC6CQ==
reject R of small order: multiple 1
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MA==
xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3ocvU3etoblBoNqDCM8+SLpl8AgnlxOqDQy/1zdBPk8Ag==
reject R of small order: multiple 2
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= NA==
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAICHqDAfKFyVP/Q+HzAHCKDsewYS9EIFxBrJqwhun6muCw==
reject R of small order: multiple 3
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MTA=
JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AWUocbPYSkkLGmSd/6q1FoXWNWEpg4iucLKt7r9M4b+Dw==
reject R of small order: multiple 4
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MTQ=
7P///////////////////////////////////////3/NNSe+VWkSwOnByPL7LZyVaCqA/rMCuoYfACI6gXiwAg==
reject R of small order: multiple 5
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MTU=
JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/IWzhnYNXJqoE7KRPtlXvdtglALIH/2n3fCB+ETUS2jWAA==
reject R of small order: multiple 6
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= Nw==
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABPzryQyAVTXM21O/iv6q3+8NZUFvdLcyb6x5B4kRcZDw==
reject R of small order: multiple 7
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MQ==
xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA/ppCvy9qJryoDL+mvT1Qww1zi4WMJaLx7cMynhFNLPrBg==
reject R of small order: y = 1, sign bit 1
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MA==
AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAICNKvv5mGjZTrspQfcxIo/FSpEABlRK0y5kQQZeTgHgBw==
reject R of small order: y = p - 1, sign bit 1
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MTc=
7P/////////////////////////////////////////CYFY93lxw1I8j2znX64wxcGNG01Eaf2aSzqheVnjNAg==
reject R of small order: y = p, sign bit 0
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MQ==
7f///////////////////////////////////////3/1d6KRVUqz5u8Kjm7KdLmkqazevztW2tsnybawkogIAQ==
reject R of small order: y = p, sign bit 1
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MTk=
7f////////////////////////////////////////8R0pxNiIu4tgxdlHHliRxZkt8OzljoIdytX0Zlyws2DQ==
reject R of small order: y = p + 1, sign bit 0
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MA==
7v///////////////////////////////////////3+KdXEtfLPrbYuWE2Hwlc1fv5Kb0gpdsmF/U4U8nIESAA==
reject R of small order: y = p + 1, sign bit 1
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MA==
7v////////////////////////////////////////+kHFJ7Aom1Iw4cWHVBS5qQyos6z8wrSe5gfnMYoHZiDQ==
reject cofactored only: torsion 1 in A, 0 in R
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm3MTdl5kljpYrAS58ayPEJ04pE7Io93ONyqXEM/X7CVBg==
reject cofactored only: torsion 4 in A, 0 in R
NsJi7WHourhDLsTaUkAA/Quf/pqCd5gJ/wAID2tv5eQ= MA==
cpBXstUn9XroYgdUDALmYzt+Xcfnot+3hLm8UWdYrm0lkoVblr6Kgqzj6z/WLAf1TRkhcT3w+Yfm3/sofel+CA==
reject cofactored only: torsion 0 in A, 1 in R
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MA==
2pIoYMJ5L+v+EMc8sxoLmP8t8AWnBhopYeFRAYxQqXgm96ybll9aYKoxbGRRUwMqADGR6sF/aHBMr08XUrjaCQ==
reject cofactored only: torsion 0 in A, 4 in R
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MA==
e2+oTSrYCoUXnfir8/0ZnMSBojgYXSBIe0ZDrpinUZKJ6VpSPkJGhbho4sukoMl8EPXRySE3XPBoftyAFW/rCQ==
reject cofactored only: torsion 1 in A, 1 in R
y5uYXym7Ncd+3lswPbwos7N4q2e6CVjULpv/X8GMHgc= MA==
2pIoYMJ5L+v+EMc8sxoLmP8t8AWnBhopYeFRAYxQqXjz+R772dWw+D3U6XHVPxkwppiE57lr9gQlKMyud3FdCQ==
reject S + 1 L
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+i9iNIzdTBbi/KGkduJltXn0MdkS0ObsV9RHL9rrRYxHw==
reject S + 2 L
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+iqXMiQj5Nt48gjiX5okLT80MdkS0ObsV9RHL9rrRYxLw==
reject S + 7 L
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+hLgJVhE4PJm/gzX63BcQ9l0cdkS0ObsV9RHL9rrRYxfw==
reject S + 14 L
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jGS07syzhKBNV9JCLYRij30cdkS0ObsV9RHL9rrRYx7w==
reject S with its top bit set
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxjw==
reject another message
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= Mg==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject one bit of S
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jRtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject one bit of R
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
trzyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject sign of R
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S2jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject sign of A
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGps= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject another key
G8z9t9AMwPPH8untzkacu4BJbgi1veMhAcbqvKXPjZw= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject A not on the curve
AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= MQ==
t7zyMagqWIWueID1bxMIpf97D80fttnLgF7iFVe4S+jQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject R not on the curve
tz2dEp4XRUe80Tslrb//AvRgAWV9iGf2AP/38JSQGhs= MQ==
AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADQtNzWWs1IMxzqmTirnPbS0MdkS0ObsV9RHL9rrRYxDw==
reject all zero
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= MQ==
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
reject all ones
//////////////////////////////////////////8= MQ==
/////////////////////////////////////////////////////////////////////////////////////w==
"""


def _parse(lines: list[str]) -> tuple[str, bytes, bytes, bytes, bool]:
    verdict, _, name = lines[0].partition(" ")
    public, _, message = lines[1].partition(" ")
    return (
        name,
        b64decode(public),
        b64decode(message),
        b64decode(lines[2]),
        verdict == "accept",
    )


_LINES = TABLE.splitlines()
CASES = tuple(_parse(_LINES[at : at + 3]) for at in range(0, len(_LINES), 3))
"""Name, public key, message, signature, and whether the rule accepts it."""
