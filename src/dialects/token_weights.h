// What tokenizers make of kinds of characters, and what vendors put around messages, tools and media: two small tables,
// found by the model's name. Fitted to recorded usage, or published where a comment says so.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "tokens/encoding.h"

namespace sluice {

// Thousandths of a token. One walk over a text counts these; the text is the sum of each times its weight.
struct TextWeights {
  std::int64_t word;         // a run of ASCII letters; a capital behind a small one begins another
  std::int64_t long_letter;  // each of its letters beyond the sixth
  std::int64_t wild_letter;  // on top, each beyond the twentieth: no word of a language
  std::int64_t digits;       // up to three digits
  std::int64_t mark;         // a run of ASCII punctuation
  std::int64_t more_marks;   // each further one in the run
  std::int64_t space;        // a run of white space that is no single blank
  std::int64_t latin;        // a letter of Latin with an accent
  std::int64_t alphabet;     // a letter of Cyrillic, Greek, Arabic, Hebrew …
  std::int64_t script;       // a letter of Devanagari, Thai …
  std::int64_t han;          // Han, kana, hangul
  std::int64_t symbol;       // typographic signs, arrows, boxes
  std::int64_t emoji;        // beyond the basic plane
  // Where tokens are counted instead: by which encoding, and how many of the model's own are a hundred of those.
  Encoding encoding;
  std::int64_t per_hundred;
};

// How a picture of known size is counted.
enum class PictureRule : std::uint8_t { fixed, area, tiles_512, tiles_768, patches_32 };

// Tokens, where nothing else is said.
struct TokenWeights {
  std::string_view models;  // pattern of names in lower case
  const TextWeights* text;
  std::int64_t percent;    // of all that follows and of text
  std::int64_t request;    // once
  std::int64_t turn;       // a message
  std::int64_t no_system;  // once, when there is no system text: the vendor's own stands there then
  std::int64_t thinking;   // once, when thinking is on
  std::int64_t tools;      // once, when there are tools
  std::int64_t forced;     // the same when a call is demanded
  std::int64_t tool;       // each tool, beside its words
  std::int64_t schema;     // percent of the schema's text
  std::int64_t call;       // a call and its result, beside their words
  std::int64_t format;     // a schema for the answer, beside its words
  std::int64_t answer;     // percent of the text of that schema
  std::int64_t picture;    // of unknown size
  std::int64_t page;       // of a document
  std::int64_t second;     // of audio
  PictureRule rule;
};

// The row for a model's name, in any case. Every name has one.
[[nodiscard]] const TokenWeights& token_weights(std::string_view model);

}  // namespace sluice
