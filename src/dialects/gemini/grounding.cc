// Where the text comes from: groundingMetadata counts UTF-8 bytes, the model counts code points.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/gemini/answer.h"
#include "dialects/gemini/names.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

bool starts_point(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

std::int64_t points(std::string_view text) {
  return std::ranges::count_if(text, starts_point);
}

// The byte where code point `index` begins.
std::size_t byte_of(std::string_view text, std::int64_t index) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_point(text[i]) && index-- == 0) return i;
  }
  return text.size();
}

// Where a support stands: the bytes it names if its words are there, else wherever its words are.
struct Place {
  std::size_t passage = 0, begin = 0, end = 0;
  bool known = false;
};

Place find(std::string_view words, std::size_t part, std::size_t begin, std::size_t end,
           const std::vector<Passage>& passages) {
  const auto fits = [&](const Passage& p) {
    return begin <= end && end <= p.text.size() && (words.empty() || p.text.substr(begin, end - begin) == words);
  };
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (passages[i].part == part && end > 0 && fits(passages[i])) return {i, begin, end, true};
  }
  for (std::size_t i = 0; i < passages.size() && !words.empty(); ++i) {
    const auto at = passages[i].text.find(words);
    if (at != std::string_view::npos) return {i, at, at + words.size(), true};
  }
  return {.passage = passages.size() - 1};
}

}  // namespace

std::vector<Found> read_citations(json::Value grounding, json::Value recitation, const std::vector<Passage>& passages) {
  std::vector<Found> out;
  if (passages.empty()) return out;
  const json::Value chunks = field(grounding, "groundingChunks");
  for (const json::Value support : field(grounding, "groundingSupports").elements()) {
    const json::Value segment = field(support, "segment");
    const auto number = [&](std::string_view name) {
      return static_cast<std::size_t>(std::max<std::int64_t>(0, field(segment, name).integer().value_or(0)));
    };
    const std::string words = field(segment, "text").text();
    const Place place = find(words, number("partIndex"), number("startIndex"), number("endIndex"), passages);
    for (const json::Value index : field(support, "groundingChunkIndices").elements()) {
      const json::Value chunk =
          chunks.at(static_cast<std::size_t>(std::max<std::int64_t>(0, index.integer().value_or(0))));
      if (!chunk) continue;
      Citation citation{.cited_text = words, .origin = self, .raw = std::string(support.raw())};
      for (const auto [kind, source] : chunk.members()) {
        if (citation.url.empty()) citation.url = source["uri"].text();
        if (citation.title.empty()) citation.title = source["title"].text();
      }
      if (place.known) {
        const std::string_view text = passages[place.passage].text;
        citation.start = points(text.substr(0, place.begin));
        citation.end = *citation.start + points(text.substr(place.begin, place.end - place.begin));
      }
      out.push_back({place.passage, std::move(citation)});
    }
  }
  const json::Value sources = field(recitation, field(recitation, "citations") ? "citations" : "citationSources");
  for (const json::Value source : sources.elements()) {
    if (!source["uri"]) continue;
    Citation citation{.url = source["uri"].text(), .title = source["title"].text(), .origin = self};
    citation.raw = std::string(source.raw());
    out.push_back({passages.size() - 1, std::move(citation)});
  }
  return out;
}

std::string write_grounding(const std::vector<std::pair<std::size_t, const Text*>>& parts) {
  std::vector<std::pair<std::string_view, std::string_view>> sources;  // address, title
  std::string supports;
  json::Writer w(supports);
  w.begin_array();
  for (const auto& [part, text] : parts) {
    for (const Citation& citation : text->citations) {
      if (citation.url.empty()) continue;
      const std::pair<std::string_view, std::string_view> source{citation.url, citation.title};
      auto at = std::ranges::find(sources, source);
      const auto index = at - sources.begin();
      if (at == sources.end()) sources.push_back(source);
      // Without offsets the whole part is meant.
      const std::size_t begin = byte_of(text->text, citation.start.value_or(0));
      const std::size_t end = citation.end ? byte_of(text->text, *citation.end) : text->text.size();
      w.begin_object().key("segment").begin_object();
      if (part > 0) w.member("partIndex", static_cast<std::int64_t>(part));
      if (begin > 0) w.member("startIndex", static_cast<std::int64_t>(begin));
      w.member("endIndex", static_cast<std::int64_t>(std::max(begin, end)));
      w.member("text", std::string_view(text->text).substr(begin, std::max(begin, end) - begin));
      w.end_object().key("groundingChunkIndices").begin_array().integer(index).end_array().end_object();
    }
  }
  w.end_array();
  if (sources.empty()) return {};
  std::string out;
  json::Writer all(out);
  all.begin_object().key("groundingChunks").begin_array();
  for (const auto& [url, title] : sources) {
    all.begin_object().key("web").begin_object().member("uri", url);
    if (!title.empty()) all.member("title", title);
    all.end_object().end_object();
  }
  all.end_array().member_raw("groundingSupports", supports).end_object();
  return out;
}

}  // namespace sluice::gemini
