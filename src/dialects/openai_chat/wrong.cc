// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/wrong.h"

namespace sluice::openai_chat {
namespace {

std::string_view word(json::Kind kind) {
  switch (kind) {
    case json::Kind::null: return "null";
    case json::Kind::boolean: return "a boolean";
    case json::Kind::number: return "a number";
    case json::Kind::string: return "a string";
    case json::Kind::array: return "an array";
    case json::Kind::object: return "an object";
  }
  return "something else";
}

std::unexpected<Failure> refused(std::string message, std::string_view param, std::string_view code) {
  return fail(Error{.fault = Fault::bad_request,
                    .message = std::move(message),
                    .code = std::string(code),
                    .param = std::string(param)});
}

}  // namespace

std::unexpected<Failure> wrong_type(std::string_view param, std::string_view expected, json::Kind got) {
  return refused("Invalid type for '" + std::string(param) + "': expected " + std::string(expected) + ", but got " +
                     std::string(word(got)) + " instead.",
                 param, "invalid_type");
}

std::unexpected<Failure> missing(std::string_view param) {
  return refused("Missing required parameter: '" + std::string(param) + "'.", param, "missing_required_parameter");
}

std::unexpected<Failure> twice(std::string_view param) {
  return refused("The parameter '" + std::string(param) + "' stands twice in the request. Send it once.", param,
                 "duplicate_parameter");
}

std::unexpected<Failure> invalid(std::string_view param, std::string message) {
  return refused(std::move(message), param, "invalid_value");
}

}  // namespace sluice::openai_chat
