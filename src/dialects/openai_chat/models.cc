// The model list as this dialect shows it. SPDX-License-Identifier: MIT
#include "dialects/openai_chat/openai_chat.h"

namespace sluice::openai_chat {
namespace {

void write_model(json::Writer& out, const ModelRow& row) {
  out.begin_object();
  out.member("id", row.id);
  out.member("object", "model");
  out.member("created", row.created);
  out.member("owned_by", row.owner);
  out.end_object();
}

}  // namespace

std::string write_models(std::span<const ModelRow> rows, bool one) {
  std::string text;
  json::Writer out(text);
  if (one && !rows.empty()) {
    write_model(out, rows.front());
    return text;
  }
  out.begin_object().member("object", "list").key("data").begin_array();
  for (const ModelRow& row : rows) write_model(out, row);
  out.end_array().end_object();
  return text;
}

}  // namespace sluice::openai_chat
