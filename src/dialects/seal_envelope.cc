// SPDX-License-Identifier: MIT
#include "dialects/seal_envelope.h"

#include "base/text.h"
#include "dialects/tool_id.h"

namespace sluice {
namespace {

constexpr std::string_view mark = "gw1.";
constexpr std::size_t check_size = 6;
constexpr DialectId all[] = {DialectId::openai_chat, DialectId::openai_responses, DialectId::anthropic,
                             DialectId::gemini,      DialectId::bedrock_converse, DialectId::cohere};

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

}  // namespace

// Inside: check word, dialect name, LF, issuer, LF, the proof.
std::string wrap_seal(const Seal& seal) {
  std::string inside(name(seal.dialect));
  inside += '\n';
  inside += seal.issuer;
  inside += '\n';
  inside += seal.raw;
  return std::string(mark) + base64url(hash_text(inside, check_size) + inside);
}

std::optional<Seal> unwrap_seal(std::string_view text) {
  if (!text.starts_with(mark)) return std::nullopt;
  const auto bytes = base64url_decode(text.substr(mark.size()));
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

std::string seal_text(const Seal& seal, DialectId client) {
  return seal.dialect == client ? seal.raw : wrap_seal(seal);
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
