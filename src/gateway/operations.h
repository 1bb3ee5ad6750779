// What vendors offer beside the conversation: files, batches, images, audio, embeddings … One row each, so that a new
// one is a line. A row says where the request goes, where its model is named, and which words its errors take; what is
// done with it: forward.cc. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dialects/embeddings/codec.h"
#include "model/dialect_id.h"

namespace sluice {

enum class ModelPlace : std::uint8_t {
  none,  // the operation has none: stored objects
  body,  // member or form field "model"; where it is missing, the vendor's default
  path,
};

struct VendorOperation {
  std::string_view name;     // for the record: "images.edits"
  std::string_view methods;  // "GET, POST"; HEAD goes with GET
  // "{model}" stands for a name, slashes included; "*" at the end for nothing or everything from a slash on.
  std::string_view pattern;
  DialectId dialect = DialectId::openai_chat;  // whose words the client speaks; its backends are those that speak it
  ModelPlace model = ModelPlace::none;
  std::optional<DialectId> also = {};  // another one whose backends know this very call
  // The path behind the vendor's version where it is not that of the pattern ("/embeddings").
  std::string_view below;
  std::string_view provider;  // raw: the first backend of this provider, path below its base URL
  // The client's shape, when it asks for vectors: then a backend of another shape may answer (embed.cc).
  EmbeddingShape embeds = EmbeddingShape::none;
  bool kept = false;  // what a model makes here stays with the vendor: its id leads back
};

[[nodiscard]] std::span<const VendorOperation> vendor_operations();

// True when the row's pattern is that path (decoded, without query). `model` gets what {model} stands for, `rest` what
// the star stands for.
[[nodiscard]] bool fits(const VendorOperation& row, std::string_view path, std::string& model, std::string& rest);

}  // namespace sluice
