// SPDX-License-Identifier: MIT
#include "dialects/cohere/logprobs.h"

#include <algorithm>

#include "base/json.h"

namespace sluice::cohere {
namespace {

void join(json::Value list, std::string& out) {
  for (const json::Value one : list.elements()) {
    if (!out.empty()) out += ',';
    out += one.raw();
  }
}

}  // namespace

std::string logprobs_list(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    json::Document doc;
    if (const auto one = doc.parse(text.substr(0, end))) {
      if (one->is_array()) {
        join(*one, out);
      } else {
        if (!out.empty()) out += ',';
        out += one->raw();
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return '[' + out + ']';
}

std::string logprobs_item(std::string_view text) {
  json::Document doc;
  const std::string list = logprobs_list(text);
  const auto items = doc.parse(list);
  if (!items) return "null";
  if (items->size() == 1) return std::string(items->at(0).raw());
  std::string words, ids, probabilities;
  for (const json::Value item : items->elements()) {
    words += item["text"].text();
    join(item["token_ids"], ids);
    join(item["logprobs"], probabilities);
  }
  return R"({"text":)" + json::quote(words) + R"(,"token_ids":[)" + ids + R"(],"logprobs":[)" + probabilities + "]}";
}

}  // namespace sluice::cohere
