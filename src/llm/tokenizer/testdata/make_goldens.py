#!/usr/bin/env python3
"""Writes goldens.txt: token counts by tiktoken itself, the judge of our tokenizer.

usage: make_goldens.py DIRECTORY_WITH_TIKTOKEN_FILES > goldens.txt      (pip: tiktoken 0.14.0)
The directory is gpt-tokenizer's data/ (see tools/tokenizer_ranks). Each line: the text as a JSON string,
a tab, its count in cl100k_base, a tab, its count in o200k_base. Seeded: the same file every time.
"""
import json
import random
import sys
import unicodedata

import tiktoken
import tiktoken.load
import tiktoken_ext.openai_public as public

directory = sys.argv[1]
public.load_tiktoken_bpe = lambda url, expected_hash: tiktoken.load.load_tiktoken_bpe(
    f"{directory}/{url.rsplit('/', 1)[1]}", expected_hash)
encodings = [tiktoken.Encoding(**make()) for make in (public.cl100k_base, public.o200k_base)]

random.seed(20261123)
WORDS = """the quick brown fox jumps over lazy dog I'm we'll THEY'RE don'T it's you'd 've 'S 'ſ HTTPServer getElementById
snake_case kebab-case x86_64 3.14159 1234567 0xdeadbeef C++20 résumé naïve Straße İstanbul ΑΘΗΝΑ Ελλάδα привет МИР ѐ
你好 世界 人工智能 大型语言模型 日本語 テキスト ひらがな 한국어 안녕하세요 สวัสดี नमस्ते मराठी বাংলা தமிழ் العربية مرحبا עברית שלום
😀 👩‍👩‍👧‍👦 🏳️‍🌈 ½ Ⅷ ² ١٢٣ १२३ ǅ ʰ ª º ﬁ é ñ 𝒳 𝟘 ... --- !!! ??? => -> :: // /* */ {{ }} [] () <|endoftext|> </div> @user #tag
$100 50% a/b c\\d "quoted" 'single' `code` — – … “smart” ‘quotes’ « » ，。！？、""".split()
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", " \n \n  ", "\u00a0", "\u3000", "\u2028", "\u0085",
          "\ufeff", "\u200b", "\x0b", "\x1c", ""]
ASSIGNED = [chr(c) for c in range(0x80, 0x20000)
            if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \n\r\t0123456789"


def of_words():
    return "".join(random.choice(WORDS) + random.choice(SPACES) for _ in range(random.randint(1, 8)))


def of_ascii():
    return "".join(random.choice(LATIN + SYMBOLS + SYMBOLS) for _ in range(random.randint(1, 30)))


def of_letters():
    return "".join(random.choice(LATIN + "'áÉ文́ſ ") for _ in range(random.randint(1, 20)))


def of_anything():
    return "".join(random.choice(ASSIGNED) for _ in range(random.randint(1, 8)))


def of_repeats():
    return "".join(random.choice(LATIN + SYMBOLS + "文é") * random.randint(1, 40) for _ in range(random.randint(1, 3)))


makers = [of_words, of_words, of_ascii, of_letters, of_anything, of_repeats]
seen = set()
while len(seen) < 6000:
    text = random.choice(makers)()
    if text in seen:
        continue
    seen.add(text)
    counts = [len(e.encode_ordinary(text)) for e in encodings]
    print(json.dumps(text, ensure_ascii=False), *counts, sep="\t")
