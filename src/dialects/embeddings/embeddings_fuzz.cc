// Any bytes as a request or a reply of embeddings: no crash, what is written is valid, and what was asked is read
// again. The first byte chooses the shape. SPDX-License-Identifier: MIT
#include <array>
#include <cstdlib>

#include "base/json.h"
#include "dialects/embeddings/codec.h"
#include "dialects/embeddings/vectors.h"

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using enum EmbeddingShape;
  constexpr std::array shapes = {openai, gemini, gemini_batch, cohere, cohere_v1, titan, nova, cohere_invoked};
  const EmbeddingShape from = shapes[data[0] % shapes.size()];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  Notes notes;
  if (const auto request = embedding_codec(from)->read_request(body, notes)) {
    for (const EmbeddingShape to : shapes) {
      if (to == gemini) continue;  // requests are written as several in one
      const auto written = embedding_codec(to)->write_request(*request, "titan-embed-image", notes);
      if (!written) continue;
      if (!json::valid(*written)) std::abort();
      const auto again = embedding_codec(to)->read_request(*written, notes);
      if (!again || again->inputs.size() != request->inputs.size()) std::abort();
      if (again->dimensions != request->dimensions) std::abort();
    }
  }
  if (const auto inside = invoked_shape(body); inside != none && !embedding_codec(inside)) std::abort();
  const auto reply = embedding_codec(from)->read_reply(body);
  if (!reply || reply->sets.empty()) return 0;
  EmbeddingRequest asked;
  asked.inputs.resize(reply->sets.front().vectors.size());
  for (const EmbeddingEncoding encoding : {EmbeddingEncoding::floats, EmbeddingEncoding::base64}) {
    asked.encodings = {encoding};
    for (const EmbeddingShape to : shapes) {
      const auto written = embedding_codec(to)->write_reply(*reply, {asked, "m", "x"}, notes);
      if (!written) continue;
      if (!json::valid(*written) || !embedding_codec(to)->read_reply(*written)) std::abort();
    }
  }
  return 0;
}
