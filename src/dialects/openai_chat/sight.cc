// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/sight.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/usage.h"

namespace sluice::openai_chat {
namespace {

// Behind `name` and its colon, or null. Such a name cannot stand inside a string: there its quotes would be escaped.
const char* member(std::string_view text, std::string_view name) {
  const void* hit = memmem(text.data(), text.size(), name.data(), name.size());
  if (hit == nullptr) return nullptr;
  const char* p = static_cast<const char*>(hit) + name.size();
  const char* const end = text.data() + text.size();
  while (p < end && (*p == ' ' || *p == ':')) ++p;
  return p < end ? p : nullptr;
}

bool says(std::string_view text, std::string_view name) {
  const char* value = member(text, name);
  return value != nullptr && *value != 'n';
}

// A string member that is not empty.
bool speaks(std::string_view text, std::string_view name) {
  const char* value = member(text, name);
  return value != nullptr && value + 1 < text.data() + text.size() && *value == '"' && value[1] != '"';
}

// Some "index" that is not 0: a second choice, or a second call; only a whole reading tells.
bool other_index(std::string_view text) {
  while (const char* value = member(text, "\"index\"")) {
    if (*value != '0') return true;
    text.remove_prefix(static_cast<std::size_t>(value - text.data()));
  }
  return false;
}

void add(std::vector<std::int64_t>& list, std::int64_t index) {
  if (std::ranges::find(list, index) == list.end()) list.push_back(index);
}

}  // namespace

bool Watch::complete() const {
  if (failed_) return false;
  if (done_) return true;
  return !finished_.empty() && std::ranges::all_of(seen_, [&](std::int64_t index) {
    return std::ranges::find(finished_, index) != finished_.end();
  });
}

Sight Watch::observe(const Frame& frame) {
  Sight sight;
  if (frame.comment || done_ || failed_) {
    sight.terminal = complete();
    return sight;
  }
  const std::string_view data = frame.data;
  if (data.size() < 16 && trim(data) == "[DONE]") {
    done_ = sight.terminal = true;
    return sight;
  }
  const bool named_error = frame.event == "error";
  sight.content = speaks(data, "\"content\"") || speaks(data, "\"arguments\"") ||
                  speaks(data, "\"reasoning_content\"") || speaks(data, "\"reasoning\"");
  const bool content_list = !sight.content && says(data, "\"tool_calls\"");
  // A last frame without its line end may be cut, wherever it seems to end.
  const bool ended = frame.raw.empty() || frame.raw.back() == '\n' || frame.raw.back() == '\r';
  const bool simple = ended && !named_error && !content_list && !says(data, "\"finish_reason\"") &&
                      !says(data, "\"usage\"") && !says(data, "\"error\"") && !says(data, "\"base_resp\"") &&
                      !other_index(data) && data.ends_with('}');
  if (!simple || seen_.empty()) read_whole(data, named_error, sight);
  sight.terminal = complete();
  return sight;
}

void Watch::read_whole(std::string_view data, bool named_error, Sight& sight) {
  const auto root = doc_.parse(data);
  if (!root || !root->is_object()) {
    if (trim(data).empty()) return;
    failed_ = true;
    sight.error = Error{.fault = Fault::upstream_broken,
                        .message = "The upstream's answer broke off before it was complete.",
                        .detail = "a chunk that is no JSON object"};
    return;
  }
  if (const json::Value usage = find_usage(*root)) sight.usage = read_usage(usage);
  sight.error = error_inside(*root, 0);
  if (!sight.error && named_error) sight.error = read_error(0, data);
  failed_ |= sight.error.has_value();
  const json::Value choices = (*root)["choices"];
  for (const json::Value choice : choices.elements()) {
    const std::int64_t index = choice["index"].integer().value_or(0);
    add(seen_, index);
    if (choice["finish_reason"].is_string() && !choice["finish_reason"].equals("")) add(finished_, index);
    const json::Value delta = choice["delta"];
    sight.content |= delta["tool_calls"].size() > 0 || delta["content"].size() > 0 || delta["audio"].size() > 0 ||
                     delta["images"].size() > 0 || delta["reasoning_details"].size() > 0;
  }
  sight.only_usage = !sight.error && choices.size() == 0 && sight.usage && !(*root)["prompt_filter_results"];
}

}  // namespace sluice::openai_chat
