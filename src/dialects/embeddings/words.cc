// SPDX-License-Identifier: MIT
#include "dialects/embeddings/words.h"

#include <algorithm>
#include <array>

#include "dialects/embeddings/vectors.h"

namespace sluice::embeddings {

std::unexpected<Failure> wrong(std::string_view message, std::string_view param) {
  return fail({.fault = Fault::bad_request, .message = std::string(message), .param = std::string(param)});
}

std::unexpected<Failure> unsupported(std::string_view message, std::string_view param) {
  return fail({.fault = Fault::unsupported, .message = std::string(message), .param = std::string(param)});
}

std::unexpected<Failure> no_reply(std::string_view detail) {
  return fail(Fault::upstream_broken, "The upstream's answer holds no embeddings.", detail);
}

std::string_view param(std::string_view pointer) {
  return pointer.substr(std::min<std::size_t>(1, pointer.size()));
}

Result<std::int64_t> read_dimensions(json::Value value, std::string_view param) {
  const auto number = value.integer();
  if (!number || *number < 1) return wrong("It must be a whole number above zero.", param);
  return *number;
}

Result<std::string> only_text(const EmbeddingRequest& request, const EmbeddingInput& input, std::string_view who,
                              Notes& notes) {
  if (!input.tokens.empty())
    return unsupported("Tokens mean something to one model only; " + std::string(who) + " takes texts.",
                       param(request.at.inputs));
  std::string out;
  for (std::size_t i = 0; i < input.parts.size(); ++i) {
    const auto* text = std::get_if<std::string>(&input.parts[i]);
    if (!text) return unsupported(std::string(who) + " embeds texts only, not images.", param(request.at.inputs));
    if (i != 0) out += '\n';
    out += *text;
  }
  if (input.parts.size() > 1) notes.restated(std::string(request.at.inputs), "texts of one input stand as one");
  return out;
}

Result<void> check_encodings(const EmbeddingRequest& request, std::string_view who, Notes& notes) {
  const auto ours = [](EmbeddingEncoding encoding) { return encoding <= EmbeddingEncoding::base64; };
  const auto& asked = request.encodings;
  if (std::ranges::all_of(asked, ours)) return {};
  if (std::ranges::none_of(asked, ours))
    return unsupported(std::string(who) + " gives floats only.", param(request.at.encodings));
  notes.lost(std::string(request.at.encodings), std::string(who) + " gives floats only");
  return {};
}

std::string_view word(EmbeddingTruncate truncate) {
  switch (truncate) {
    case EmbeddingTruncate::none: return "NONE";
    case EmbeddingTruncate::start: return "START";
    case EmbeddingTruncate::end: return "END";
  }
  return {};
}

Result<void> add_vectors(EmbeddingReply& out, EmbeddingEncoding encoding,
                         const std::vector<std::string_view>& vectors) {
  if (!std::ranges::all_of(vectors, is_vector)) return no_reply("an embedding is neither numbers nor a string");
  // Whoever was asked for numbers may still send base64.
  const bool packed = std::ranges::all_of(vectors, [](std::string_view raw) { return raw.starts_with('"'); });
  if (encoding == EmbeddingEncoding::floats && packed && !vectors.empty()) encoding = EmbeddingEncoding::base64;
  out.sets.push_back({encoding, vectors});
  return {};
}

Result<std::size_t> count(const EmbeddingReply& reply, const EmbeddingQuestion& question) {
  const std::size_t inputs = question.asked.inputs.size();
  if (reply.sets.empty()) return no_reply("no set of vectors");
  for (const EmbeddingReply::Set& set : reply.sets) {
    if (set.vectors.size() != inputs)
      return no_reply(std::to_string(set.vectors.size()) + " vectors for " + std::to_string(inputs) + " inputs");
  }
  return inputs;
}

Result<std::string_view> vector(const EmbeddingReply& reply, std::size_t index, EmbeddingEncoding encoding,
                                std::string& made) {
  using enum EmbeddingEncoding;
  const auto set = [&](EmbeddingEncoding wanted) {
    return std::ranges::find(reply.sets, wanted, &EmbeddingReply::Set::encoding);
  };
  if (const auto same = set(encoding); same != reply.sets.end()) return same->vectors[index];
  if (encoding == floats && set(base64) != reply.sets.end()) {
    TRY(made, unpack_vector(set(base64)->vectors[index]));
    return made;
  }
  if (encoding == base64 && set(floats) != reply.sets.end()) {
    TRY(made, pack_vector(set(floats)->vectors[index]));
    return made;
  }
  return no_reply("not in the encoding that was asked for");
}

}  // namespace sluice::embeddings
