// Errors both ways: every vendor's shape into the fault table, the table into this dialect's shape.
// SPDX-License-Identifier: MIT
#include <charconv>

#include "base/text.h"
#include "dialects/openai_chat/openai_chat.h"

namespace sluice::openai_chat {
namespace {

using json::Value;

struct Words {
  std::string message, type, code, param;
};

// Numbers, strings and null all stand where a code should be.
std::string scalar(Value value) {
  if (value.is_string()) return value.text();
  return value.is_number() ? std::string(value.raw()) : std::string();
}

std::string first_text(std::initializer_list<Value> places) {
  for (const Value place : places) {
    if (place.is_string() && !place.text().empty()) return place.text();
  }
  return {};
}

// FastAPI's list of complaints, and other structures that are no sentence.
std::string told(Value detail) {
  if (detail.is_string()) return detail.text();
  std::string out;
  const Value list = detail["detail"].is_array() ? detail["detail"] : detail;
  for (const Value one : list.elements()) {
    if (!one["msg"].is_string()) continue;
    if (!out.empty()) out += "; ";
    std::string place;
    for (const Value step : one["loc"].elements()) {
      if (!place.empty()) place += '.';
      place += scalar(step);
    }
    out += place.empty() ? one["msg"].text() : place + ": " + one["msg"].text();
  }
  return out.empty() ? std::string(detail.raw()) : out;
}

Words words_of(Value root) {
  const Value error = root["error"];
  if (error.is_object()) {
    Words out{.type = error["type"].text(), .code = scalar(error["code"]), .param = error["param"].text()};
    out.message = error["message"].is_string() ? error["message"].text() : told(error["message"]);
    // OpenRouter wraps the vendor's own words.
    if (const std::string raw = error["metadata"]["raw"].text(); !raw.empty() && raw.size() < 2000) {
      out.message += out.message.empty() ? raw : ": " + raw;
    }
    return out;
  }
  Words out{.type = root["type"].text(), .code = scalar(root["code"]), .param = root["param"].text()};
  out.message = first_text({error, root["message"], root["msg"], root["error_msg"]});
  if (out.message.empty() && root["message"].is_object()) out.message = told(root["message"]);
  if (out.message.empty() && root["detail"]) out.message = told(root["detail"]);
  return out;
}

bool says(std::string_view text, std::initializer_list<std::string_view> any) {
  const std::string small = lower(text);
  for (const std::string_view one : any) {
    if (small.find(one) != std::string::npos) return true;
  }
  return false;
}

Fault fault_of(int status, const Words& words) {
  if (words.code == "insufficient_quota" || words.type == "insufficient_quota") return Fault::upstream_limited;
  switch (status) {
    case 401:
    case 402: return Fault::upstream_denied;
    case 403:
      return says(words.code + words.type, {"content", "policy", "moderation", "invalid_prompt"})
                 ? Fault::upstream_rejected
                 : Fault::upstream_denied;
    case 408:
    case 504:
    case 524: return Fault::upstream_timeout;
    case 429: return Fault::upstream_limited;
    case 498:
    case 503:
    case 529: return Fault::upstream_overloaded;
    default: break;
  }
  if (status >= 500) return Fault::upstream_failed;
  if (status >= 400) return Fault::upstream_rejected;
  // Inside a stream or a 200 there is no status: the words must do.
  const std::string all = words.type + ' ' + words.code;
  if (says(all, {"rate_limit", "too_many", "throttl"})) return Fault::upstream_limited;
  if (says(all, {"overload", "unavailable", "capacity"})) return Fault::upstream_overloaded;
  if (says(all, {"timeout"})) return Fault::upstream_timeout;
  if (says(all, {"authentication", "invalid_api_key", "permission"})) return Fault::upstream_denied;
  if (says(all, {"invalid_request", "bad_request", "tool_use_failed", "context_length", "content_filter"})) {
    return Fault::upstream_rejected;
  }
  return Fault::upstream_failed;
}

// The words that every dialect knows for the same thing.
std::string common_code(const Words& words) {
  if (says(words.code + ' ' + words.type, {"context_length", "exceed_context_size"}) ||
      says(words.message, {"maximum context length", "exceeds the available context size", "prompt is too long"})) {
    return "context_length_exceeded";
  }
  if (words.code == "DeploymentNotFound" || words.type == "invalid_model") return "model_not_found";
  return words.code;
}

Error error_of(int status, const Words& words) {
  Error error{.fault = fault_of(status, words), .code = common_code(words), .param = words.param};
  const std::string said = words.message.empty() ? "no reason given" : words.message;
  switch (error.fault) {
    case Fault::upstream_denied:
      // The words may quote a part of our key, so they stay out: the operator gets the kind.
      error.message = "The upstream did not accept this gateway's credentials.";
      error.detail = "the upstream answered " + std::to_string(status) + ' ' + words.type + ' ' + words.code;
      if (status == 402 || status == 403) error.detail += ": " + said;
      error.code.clear();
      error.param.clear();
      break;
    case Fault::upstream_rejected:
      error.message = words.message.empty() ? "The upstream refused the request and gave no reason." : words.message;
      error.detail = "the upstream answered " + std::to_string(status);
      if (status >= 400 && status < 500) error.status = status;
      break;
    default:
      error.message = words.message.empty() ? "The upstream failed and gave no reason." : words.message;
      error.detail = "the upstream answered " + std::to_string(status) + ": " + said;
      break;
  }
  return error;
}

std::string_view type_of(const Error& error) {
  if (error.code == "insufficient_quota") return "insufficient_quota";
  switch (error.fault) {
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::unauthorized:
    case Fault::not_found:
    case Fault::method_not_allowed:
    case Fault::too_large:
    case Fault::upstream_rejected: return "invalid_request_error";
    case Fault::forbidden: return "permission_error";
    case Fault::request_timeout:
    case Fault::upstream_timeout: return "timeout";
    case Fault::rate_limited:
    case Fault::upstream_limited: return "rate_limit_exceeded";
    case Fault::overloaded:
    case Fault::client_gone:
    case Fault::upstream_denied:
    case Fault::upstream_overloaded:
    case Fault::upstream_failed:
    case Fault::upstream_unreachable:
    case Fault::upstream_broken:
    case Fault::internal: return "server_error";
  }
  return "server_error";
}

// The code that SDKs and people look for, where the fault alone decides it.
std::string_view default_code(const Error& error) {
  switch (error.fault) {
    case Fault::unauthorized: return "invalid_api_key";
    case Fault::not_found: return error.param == "model" ? "model_not_found" : "";
    case Fault::rate_limited:
    case Fault::upstream_limited: return "rate_limit_exceeded";
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::upstream_rejected: return "";
    case Fault::forbidden:
    case Fault::method_not_allowed:
    case Fault::request_timeout:
    case Fault::too_large:
    case Fault::overloaded:
    case Fault::client_gone:
    case Fault::upstream_denied:
    case Fault::upstream_overloaded:
    case Fault::upstream_failed:
    case Fault::upstream_unreachable:
    case Fault::upstream_timeout:
    case Fault::upstream_broken:
    case Fault::internal: return fault_row(error.fault).name;
  }
  return "";
}

}  // namespace

std::optional<Error> error_inside(json::Value root, int status) {
  const Value error = root["error"];
  const bool object = error.is_object() && error.size() > 0;
  const bool sentence = error.is_string() && !error.text().empty();
  if (!object && !sentence) {
    // MiniMax puts failures into a 200.
    const auto code = root["base_resp"]["status_code"].integer();
    if (!code || *code == 0) return std::nullopt;
    return error_of(status, {.message = root["base_resp"]["status_msg"].text(), .code = std::to_string(*code)});
  }
  const Words words = words_of(root);
  if (status == 0) {
    // A status stands in the object at some vendors.
    for (const Value place : {error["status_code"], error["code"], error["status"]}) {
      const auto said = place.integer();
      if (said && *said >= 400 && *said < 600) status = static_cast<int>(*said);
    }
  }
  return error_of(status, words);
}

Error read_error(int status, std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (root && root->is_object()) return error_of(status, words_of(*root));
  if (root && root->is_array() && root->size() > 0) return error_of(status, words_of(root->at(0)));
  const std::string_view text = trim(body);
  const bool page = text.starts_with('<');
  return error_of(status, {.message = page ? std::string() : visible_ascii(text, 300)});
}

std::string write_error(const Error& error) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("error").begin_object();
  out.member("message", error.message);
  out.member("type", std::string(type_of(error)));
  out.key("param");
  error.param.empty() ? out.null() : out.string(error.param);
  const std::string_view code = error.code.empty() ? default_code(error) : std::string_view(error.code);
  out.key("code");
  code.empty() ? out.null() : out.string(code);
  out.end_object().end_object();
  return text;
}

}  // namespace sluice::openai_chat
