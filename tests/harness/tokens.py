"""tiktoken on the rank tables that the gateway's build packs, instead of its download; and texts for it. As a program:
writes the unit test's golden file.   .venv/bin/python -m harness.tokens > ../src/tokens/testdata/tiktoken.txt
SPDX-License-Identifier: MIT
"""

import functools
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


@functools.cache
def encoding(name):
    """o200k or cl100k, as tiktoken makes it. Its own check of the table's hash holds: the data is OpenAI's."""
    import tiktoken
    import tiktoken_ext.openai_public as public

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", ROOT / "web/tokens.mjs", "--ranks", folder], check=True)

        def load(url, expected_hash=None):
            data = pathlib.Path(folder, url.rsplit("/", 1)[1]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == expected_hash, f"{url}: another table than OpenAI's"
            import base64

            return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines())}

        kept, public.load_tiktoken_bpe = public.load_tiktoken_bpe, load
        try:
            return tiktoken.Encoding(**getattr(public, f"{name}_base")())
        finally:
            public.load_tiktoken_bpe = kept


SENTENCES = [
    "The quick brown fox jumps over the lazy dog, doesn't it? I'LL SAY we've SEEN they'RE it'S.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; Donaudampfschifffahrtsgesellschaft.",
    "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis.",
    "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío, ¡añoraba a su querido cachorro!",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. ЁЖИК",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΑΒΓ ϊΐ",
    "我能吞下玻璃而不伤身体。上海自来水来自海上，人工智能大模型。",
    "いろはにほへと ちりぬるを わかよたれそ つねならむ。カタカナ、漢字、ﾊﾝｶｸ",
    "다람쥐 헌 쳇바퀴에 타고파. 인공지능 언어 모델",
    "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق ١٢٣٤",
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले १२३",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "Pchnąć w tę łódź jeża lub ośm skrzyń fig. Žluťoučký kůň úpěl ďábelské ódy",
    "Tiếng Việt có dấu: Trăm năm trong cõi người ta, chữ tài chữ mệnh khéo là ghét nhau",
    "Pijamalı hasta yağız şoföre çabucak güvendi. İSTANBUL ıIiİ",
    "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪 ☕️ 😀😃😄 ❤️‍🔥 1️⃣",
    "def f(x: int = 0) -> None:\n    '''doc'''\n\treturn {'a': [1, 2.5e-3], \"b\": x ** 2}  # why?\n\n\n",
    "#include <vector>\nint main() { std::vector<int> v{1,2,3}; for (auto&& x : v) printf(\"%d\\n\", x); }\r\n",
    '{"type":"object","properties":{"city":{"type":"string","minLength":1}},"required":["city"],"$schema":"http://x/y"}',
    "SELECT * FROM users WHERE id IN (1, 22, 333, 4444, 55555) AND name LIKE '%O''Brien%';",
    "https://example.com/a/b/c?x=1&y=%20#frag  //comment /*x*/ a/b/\n/c ../..//\n\n",
    "HTTPServer getURLForID XMLHttpRequest snake_case kebab-case CamelCase ABCdef aBC A",
    "   leading   and trailing    \n \n\t\t\n   x \r\n\r\n  \u00a0\u2003\u3000 y \x0b\x0c\x85 z   ",
    "1 12 123 1234 12345 ½ ²³ Ⅷ ৪২ 一二三 3.14159 1,000,000 0xFF",
    "ﬁ ǅ ǆ Ǆ ʰ ͅ a\u0301 A\u0301 \u0301A \u0301\u0301 中A 中a A中 aA中Bc it'ſ 'ſ I'm I'M l'l l'LL 'd",
    "𝒜𝓑 𐐀𐐨 𠀀 \U0001f9d1\U0001f3fb\u200d\U0001f4bb \ufeff \u200b \u00ad \ufffd",
    "<|endoftext|> <|im_start|>user\nHi<|im_end|> <|fim_prefix|>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "----------------------------------------========================================****************",
    "QmFzZTY0IGlzIG5vIGxhbmd1YWdlIGJ1dCBpdCBpcyBldmVyeXdoZXJlIGluIHByb21wdHMuCg== d41d8cd98f00b204e9800998ecf8427e",
]


def texts(count, seed=1):
    """Sentences of many languages, whole, cut at any character and put together in any order; single characters of
    every plane; runs of white space; bytes of any value, read as UTF-8."""
    dice = random.Random(seed)
    out = ["", *SENTENCES]
    while len(out) < count:
        kind = dice.randrange(6)
        if kind <= 1:
            a, b = dice.choice(SENTENCES), dice.choice(SENTENCES)
            out.append(a[dice.randrange(len(a)) :] + b[: dice.randrange(len(b) + 1)])
        elif kind == 2:
            out.append("".join(dice.choice(dice.choice(SENTENCES)) for _ in range(dice.randrange(1, 80))))
        elif kind == 3:
            codes = (dice.choice([dice.randrange(0x250), dice.randrange(0x3000), dice.randrange(0x20000)]) for _ in range(40))
            out.append("".join(chr(c) for c in codes if not 0xD800 <= c < 0xE000))
        elif kind == 4:
            out.append("".join(dice.choice(" \n\r\t\u00a0a.'/") for _ in range(dice.randrange(1, 40))))
        else:
            out.append(dice.randbytes(dice.randrange(1, 60)).decode(errors="replace"))
    return out


def main():
    dice = random.Random(2)
    print("# encoding, text or one piece, its bytes, tokens: by tiktoken (tests/harness/tokens.py)")
    for name in ("o200k", "cl100k"):
        words = encoding(name)
        for text in texts(130, 3):
            ids = words.encode_ordinary(text)
            print(name, "text", text.encode().hex() or "-", *ids)
        for _ in range(60):
            piece = dice.choice([dice.randbytes(dice.randrange(1, 90)), dice.choice(SENTENCES).encode()[: dice.randrange(1, 200)]])
            print(name, "piece", piece.hex(), *words._encode_single_piece(piece))


if __name__ == "__main__":
    sys.exit(main())
