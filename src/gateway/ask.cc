// SPDX-License-Identifier: MIT
#include "gateway/ask.h"

#include <algorithm>

#include "base/print.h"
#include "base/text.h"
#include "dialects/held_state.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"
#include "gateway/remember.h"
#include "providers/provider.h"
#include "wire/http1.h"

namespace sluice {
namespace {

void append_head(std::string& text, const Intake& intake, const Line& line, std::string_view path,
                 std::span<const Header> fields, std::size_t length) {
  Print out(text, 512 + path.size() + line.fields.size());
  out.text("POST ");
  out.text(path);
  out.text(" HTTP/1.1\r\n");
  out.text(line.fields);
  out.text("content-type: application/json\r\ncontent-length: ");
  out.number(static_cast<std::int64_t>(length));
  out.text(intake.peek.stream ? "\r\naccept: text/event-stream\r\n" : "\r\naccept: application/json\r\n");
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!http1::is_token(name) || !http1::is_value(value)) return;
    out.text(name);
    out.text(": ");
    out.text(value);
    out.text("\r\n");
  };
  for (const auto& [name, value] : fields) field(name, value);
  bool agent = false;
  for (const auto& [name, value] : intake.headers) {
    // Trace context goes along as it came (W3C Trace Context); who the client's program is helps vendors to help.
    if (iequals(name, "user-agent")) {
      field("user-agent", value);
      agent = true;
    } else if (iequals(name, "traceparent") || iequals(name, "tracestate")) {
      field(lower(name), value);
    }
  }
  if (!agent) out.text("user-agent: sluice\r\n");
  out.text("\r\n");
}

}  // namespace

Result<std::string> splice(std::string_view text, const std::vector<json::TopMember>& members,
                           const std::vector<json::Edit>& edits) {
  struct Cut {
    std::size_t at, size;
    std::string_view with;
  };
  std::vector<Cut> cuts;
  for (const json::Edit& edit : edits) {
    const std::string_view name = std::string_view(edit.pointer).substr(std::min<std::size_t>(1, edit.pointer.size()));
    const auto found = std::ranges::find(members, name, &json::TopMember::key);
    const bool plain = edit.op == json::Edit::Op::set && name.find_first_of("/~") == std::string_view::npos;
    if (!plain || found == members.end()) return json::apply(text, edits);
    cuts.push_back({found->offset, found->raw.size(), edit.value});
  }
  std::ranges::sort(cuts, {}, &Cut::at);
  std::string out;
  out.reserve(text.size() + 64);
  std::size_t from = 0;
  for (const Cut& cut : cuts) {
    if (cut.at < from) return json::apply(text, edits);  // one member edited twice
    out += text.substr(from, cut.at - from);
    out += cut.with;
    from = cut.at + cut.size;
  }
  out += text.substr(from);
  return out;
}

Result<const ChatRequest*> Ask::conversation() {
  if (!conversation_) {
    auto request = intake_.entry.dialect->read_request(intake_.asked(), read_notes_);
    if (!request) return std::unexpected(std::move(request).error());
    recall(ex_, *request);
    conversation_ = std::make_unique<const ChatRequest>(*std::move(request));
  }
  return conversation_.get();
}

bool Ask::may_hold_proofs() {
  if (!enveloped_) enveloped_ = may_hold_envelope(intake_.body);
  return *enveloped_;
}

// The client's own bytes, with a few edits.
Result<void> Ask::write_bytes(const Destination& to, Outgoing& out) {
  const auto edits = out.spoken->verbatim_edits(intake_.peek, to);
  if (edits.empty()) {
    out.body = intake_.body;
  } else {
    TRY(out.own_body, splice(intake_.body, intake_.peek.members, edits));
    out.body = out.own_body;
  }
  return {};
}

// The conversation as this backend may see it, in its dialect.
Result<void> Ask::write_conversation(const Backend& backend, const Destination& to, Outgoing& out,
                                     std::vector<Header>& fields, Notes& notes) {
  TRY(const ChatRequest* request, conversation());
  std::optional<ChatRequest> without;
  if (holds_foreign_proofs(*request, backend.name, out.spoken->id())) {
    without = *request;
    drop_foreign_proofs(*without, backend.name, out.spoken->id(), notes);
    request = &*without;
  }
  TRY(auto wire, out.spoken->write_request(*request, to, notes));
  out.own_body = std::move(wire.body);
  out.body = out.own_body;
  out.read = true;
  if (out.verbatim) return {};
  if (ToolReturn undo(*request); undo.needed()) out.undo = std::move(undo);
  fields = std::move(wire.headers);
  return {};
}

Result<void> Ask::write(const Target& target, const Line& line, Outgoing& out, Notes& notes) {
  const Backend& backend = *target.backend;
  const Dialect& asked_in = *intake_.entry.dialect;
  const Operation operation = intake_.entry.operation;
  const bool stream = intake_.peek.stream;
  const Destination to{.model = target.model, .provider = backend.flavour, .stream = stream};
  out.verbatim = backend.speaks(asked_in.id());
  out.spoken = out.verbatim ? &asked_in : backend.dialects.empty() ? nullptr : dialect(backend.dialects.front());
  const Endpoint* way = out.spoken ? endpoint(*backend.provider, out.spoken->id(), operation) : nullptr;
  if (!way) {
    Error error{.fault = Fault::unsupported};
    error.message = "The backend \"" + backend.name + "\" has no such operation in a dialect that is spoken here.";
    return fail(std::move(error));
  }
  std::vector<Header> fields;
  if (out.verbatim) {
    fields = asked_in.verbatim_headers(intake_.asked());
    // An envelope holds the proof of another vendor: no stranger may see it. What was said to others, and is held here,
    // goes as this vendor takes what it did not say itself.
    const bool recalled = intake_.held && !intake_.held->body.empty();
    if (operation == Operation::chat && (recalled || may_hold_proofs())) {
      TRY_VOID(write_conversation(backend, to, out, fields, notes));
    } else {
      TRY_VOID(write_bytes(to, out));
    }
  } else {
    if (operation != Operation::chat) {
      return fail(Fault::unsupported,
                  "The backend \"" + backend.name + "\" does not speak " + std::string(asked_in.name()) + ".");
    }
    TRY(const ChatRequest* request, conversation());
    if (auto held = held_elsewhere(*request)) return fail(*std::move(held));
    TRY_VOID(write_conversation(backend, to, out, fields, notes));
  }
  out.head.clear();
  append_head(out.head, intake_, line, call_path(backend.url.path, *way, target.model, stream), fields,
              out.body.size());
  return {};
}

}  // namespace sluice
