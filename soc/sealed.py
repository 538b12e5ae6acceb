# SPDX-License-Identifier: BSD-2-Clause
"""Files that show whether they are whole: their SHA-256 follows their content, which ELF's readers overlook.

One file, so that content and checksum are replaced together.
"""

import hashlib

LENGTH = hashlib.sha256().digest_size


def sealed(content):
    """Bytes of a file with this content."""
    return content + hashlib.sha256(content).digest()


def unsealed(data):
    """Content of a file with these bytes.

    Raises:
        ValueError: they are not as ``sealed`` made them.
    """
    content, seal = data[:-LENGTH], data[-LENGTH:]
    if len(data) < LENGTH or hashlib.sha256(content).digest() != seal:
        raise ValueError("the checksum does not match")
    return content
