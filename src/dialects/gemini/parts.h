// Parts of a Content <-> parts of the model: the one vocabulary that requests, replies and streams of this dialect
// share. Not here: which parts may stand where (request_write.cc, reply_write.cc, stream_write.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/chat.h"

namespace sluice::gemini {

// One part. Calls without an id have an empty one and id_made_up; results without an id have an empty call_id. Error:
// bad_request when it is no object.
[[nodiscard]] Result<Part> read_part(json::Value part);
// `parts` of a Content: a list or, as proto JSON allows, a single object.
[[nodiscard]] Result<void> read_parts(json::Value parts, std::vector<Part>& out);

// What kind of media a type is: image/…, audio/…, video/…, else document.
[[nodiscard]] MediaKind kind_of_mime(std::string_view mime);
// "image/png" from an address ending in ".png"; empty when nothing tells.
[[nodiscard]] std::string_view mime_of_name(std::string_view name);

// Members of the data object `name` and of the part around it that nobody here knows, from the part's extras, into the
// object that is open. Nothing for extras of another dialect.
void write_inner_extras(json::Writer& out, const Extras& extras, std::string_view name);
void write_outer_extras(json::Writer& out, const Extras& extras, std::string_view name);

// False for what lives with another vendor.
[[nodiscard]] bool can_write_media(const Media& media);
// "inlineData": {…} or "fileData": {…}; false, and nothing written, when the dialect cannot say it. No siblings.
[[nodiscard]] bool write_media(json::Writer& out, const Media& media, const Extras& extras);
// "mediaResolution": {…} for a detail that has one; false when it has none.
[[nodiscard]] bool write_detail(json::Writer& out, const Media& media);

// Arguments of a call as the object that `args` must be: nothing becomes {}, text of a custom tool {"input": …}. Empty
// when they are no JSON object.
[[nodiscard]] std::string call_args(const ToolCall& call);

// "functionCall": {…}. `id`: empty = none.
void write_call(json::Writer& out, const ToolCall& call, std::string_view args, std::string_view id,
                const Extras& extras);

}  // namespace sluice::gemini
