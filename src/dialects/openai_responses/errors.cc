// Errors as this API tells them where chat has no such place. SPDX-License-Identifier: MIT
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_responses/openai_responses.h"

namespace sluice::openai_responses {
namespace {

// Codes inside a response that blame the request (the API's own list).
bool blames_request(std::string_view code) {
  return code.starts_with("invalid_") || code.find("image") != std::string_view::npos || code.ends_with("_policy") ||
         code.ends_with("_policy_violation") || code.ends_with("_mismatch") || code == "unsupported_file" ||
         code == "previous_response_not_found";
}

}  // namespace

Error read_error(int status, json::Value root) {
  const json::Value inside = root["error"].is_object() ? root["error"] : root;
  Error error = openai_chat::read_error(status, root.raw());
  // Without a status the words alone must do, and chat does not know these.
  if (status == 0 && error.fault == Fault::upstream_failed && blames_request(inside["code"].text())) {
    error.fault = Fault::upstream_rejected;
  }
  return error;
}

}  // namespace sluice::openai_responses
