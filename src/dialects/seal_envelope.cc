// SPDX-License-Identifier: MIT
#include "dialects/seal_envelope.h"

#include <algorithm>

#include "base/per_cpu.h"
#include "base/text.h"
#include "dialects/data_url.h"
#include "dialects/tool_id.h"

namespace sluice {
namespace {

constexpr std::string_view mark = "gw1.";
constexpr std::string_view mark_in_base64 = "Z3cxL";  // how base64 of it begins, where a slot takes nothing else
constexpr std::size_t check_size = 6;
constexpr DialectId all[] = {
    DialectId::openai_chat,      DialectId::openai_responses, DialectId::anthropic,         DialectId::gemini,
    DialectId::bedrock_converse, DialectId::cohere,           DialectId::openai_completions};

// Behind the envelope.
char letter_of(Belongs belongs) {
  switch (belongs) {
    case Belongs::itself: break;
    case Belongs::next: return '>';
    case Belongs::previous: return '<';
    case Belongs::thought: return '~';
  }
  return '\0';
}

// Check word, dialect name, LF, issuer, LF, the proof.
std::string content(const Seal& seal) {
  std::string text(name(seal.dialect));
  text += '\n';
  text += seal.issuer;
  text += '\n';
  text += seal.raw;
  return hash_text(text, check_size) + text;
}

std::optional<std::string> opened(std::string_view text) {
  if (text.starts_with(mark)) return base64url_decode(text.substr(mark.size()));
  if (!text.starts_with(mark_in_base64)) return std::nullopt;
  auto bytes = base64_decode(standard_base64(text));
  if (!bytes || !bytes->starts_with(mark)) return std::nullopt;
  return bytes->substr(mark.size());
}

}  // namespace

std::string wrap_seal(const Seal& seal) {
  return std::string(mark) + base64url(content(seal));
}

std::string wrap_seal_in_bytes(const Seal& seal) {
  return base64(std::string(mark) + content(seal));
}

std::optional<Seal> unwrap_seal(std::string_view text) {
  const auto bytes = opened(text);
  if (!bytes || bytes->size() < check_size) return std::nullopt;
  const std::string_view inside = std::string_view(*bytes).substr(check_size);
  if (hash_text(inside, check_size) != std::string_view(*bytes).substr(0, check_size)) return std::nullopt;
  const auto first = inside.find('\n');
  const auto second = first == std::string_view::npos ? first : inside.find('\n', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  for (const DialectId id : all) {
    if (name(id) != inside.substr(0, first)) continue;
    return Seal{.dialect = id,
                .issuer = std::string(inside.substr(first + 1, second - first - 1)),
                .raw = std::string(inside.substr(second + 1))};
  }
  return std::nullopt;
}

// Both marks in one pass, which two calls of contains() are not, by two letters that are rare side by side; what is
// found is looked at.
SLUICE_PER_CPU bool may_hold_envelope(std::string_view body) {
  static_assert(mark.substr(1, 2) == "w1" && mark_in_base64.substr(2, 2) == "cx");
  const auto marked = [&](std::size_t letters) {
    return body.substr(letters - 1).starts_with(mark) ||
           (letters > 1 && body.substr(letters - 2).starts_with(mark_in_base64));
  };
  if (body.size() < block_width + 2) {
    for (std::size_t at = 1; at < body.size(); ++at) {
      if (marked(at)) return true;
    }
    return false;
  }
  const std::size_t last = body.size() - block_width - 1;  // the last block may say again what one before said
  for (std::size_t at = 1;; at = std::min(at + block_width, last)) {
    Block first;
    Block second;
    load(first, body.data() + at);
    load(second, body.data() + at + 1);
    std::uint64_t pairs = (where(first, 'w') & where(second, '1')) | (where(first, 'c') & where(second, 'x'));
    for (; pairs != 0; pairs &= pairs - 1) {
      if (marked(at + static_cast<std::size_t>(std::countr_zero(pairs)))) return true;
    }
    if (at == last) return false;
  }
}

std::string seal_text(const Seal& seal, DialectId client) {
  if (seal.dialect == client) return seal.raw;
  return client == DialectId::gemini ? wrap_seal_in_bytes(seal) : wrap_seal(seal);
}

Seal read_seal(std::string_view text, DialectId dialect) {
  if (auto seal = unwrap_seal(text)) return *std::move(seal);
  return {.dialect = dialect, .raw = std::string(text)};
}

std::string seal_beside(const Seal& seal, DialectId client, Belongs belongs) {
  if (belongs == Belongs::itself) return seal_text(seal, client);
  return wrap_seal(seal) + letter_of(belongs);
}

Seal read_seal_beside(std::string_view text, DialectId dialect, Belongs& belongs) {
  for (const Belongs one : {Belongs::next, Belongs::previous, Belongs::thought}) {
    if (!text.ends_with(letter_of(one))) continue;
    auto seal = unwrap_seal(text.substr(0, text.size() - 1));
    if (!seal) break;
    belongs = one;
    return *std::move(seal);
  }
  belongs = Belongs::itself;
  return read_seal(text, dialect);
}

}  // namespace sluice
