// SPDX-License-Identifier: MIT
#include "gateway/ask.h"

#include <algorithm>
#include <iterator>

#include "base/print.h"
#include "base/text.h"
#include "dialects/continuation.h"
#include "dialects/count.h"
#include "dialects/held_state.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"
#include "gateway/body_form.h"
#include "gateway/output_limit.h"
#include "gateway/remember.h"
#include "providers/provider.h"
#include "wire/aws_sigv4.h"
#include "wire/http1.h"

namespace sluice {
namespace {

// Which form of a stream is taken.
std::string_view accept_field(const Provider& provider, bool stream) {
  if (!stream) return "\r\naccept: application/json\r\n";
  return provider.auth.kind == AuthKind::aws ? "\r\naccept: application/vnd.amazon.eventstream\r\n"
                                             : "\r\naccept: text/event-stream\r\n";
}

void append_head(std::string& text, const Intake& intake, const Line& line, std::string_view path,
                 std::span<const Header> fields, std::string_view accept, std::string_view signature,
                 std::size_t length) {
  Print out(text, 512 + path.size() + line.fields.size());
  out.text("POST ");
  out.text(path);
  out.text(" HTTP/1.1\r\n");
  out.text(line.fields);
  out.text("content-type: application/json\r\ncontent-length: ");
  out.number(static_cast<std::int64_t>(length));
  out.text(accept);
  out.text(signature);
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

std::string signing_fields(const Backend& backend, const Line& line, std::string_view path, std::string_view body,
                           std::int64_t unix_seconds) {
  if (!backend.aws) return {};
  const AwsSettings& aws = *backend.aws;
  return aws_sigv4::signing_fields({.access_key_id = aws.access_key_id,
                                    .secret_access_key = aws.secret_access_key.reveal(),
                                    .session_token = aws.session_token.reveal()},
                                   {.method = "POST",
                                    .target = path,
                                    .host = line.host,
                                    .body = body,
                                    .region = aws.region,
                                    .service = backend.service,
                                    .unix_seconds = unix_seconds});
}

Result<const ChatRequest*> Ask::conversation() {
  if (!conversation_) {
    Asked asked = intake_.asked();
    if (const std::string_view inside = intake_.peek.question; !inside.empty()) asked.body = inside;
    auto request = intake_.entry.dialect->read_request(asked, read_notes_);
    if (!request) return std::unexpected(std::move(request).error());
    recall(ex_, *request);
    if (intake_.entry.operation == Operation::count_tokens) leave_what_counts(*request);
    if (const auto most = cap(); most && !request->max_output) request->max_output = most;
    conversation_ = std::make_unique<const ChatRequest>(*std::move(request));
  }
  return conversation_.get();
}

bool Ask::may_hold_proofs() {
  if (!enveloped_) enveloped_ = may_hold_envelope(intake_.body);
  return *enveloped_;
}

// What the caller's key sets for a request that does not say how long its answer may be.
std::optional<std::int64_t> Ask::cap() const {
  if (!ex_.key || ex_.key->max_output_tokens == 0 || intake_.entry.operation == Operation::count_tokens)
    return std::nullopt;
  const OutputAsked asked = output_asked(intake_.peek.members);
  return asked.most ? std::nullopt : output_allowed(ex_.key, asked);
}

// The client's own bytes, with a few edits.
Result<void> Ask::write_bytes(const Endpoint& way, const Destination& to, Outgoing& out, std::vector<Header>& fields,
                              Notes& notes) {
  auto edits = out.spoken->verbatim_edits(intake_.peek, to);
  if (const auto most = cap()) edits.push_back(output_edit(out.spoken->id(), to, intake_.peek.members, *most));
  if (way.form) {
    // What stands in the path here needs no other change.
    std::erase_if(edits, [&](const json::Edit& edit) {
      return std::ranges::find(way.form->drop, std::string_view(edit.pointer).substr(1)) != way.form->drop.end();
    });
    std::ranges::move(form_edits(*way.form, intake_.peek.members, fields, notes), std::back_inserter(edits));
  }
  if (edits.empty()) {
    out.body = intake_.body;
  } else {
    TRY(out.own_body, splice(intake_.body, intake_.peek.members, edits));
    out.body = out.own_body;
  }
  return {};
}

// The conversation as this backend may see it, in its dialect.
Result<void> Ask::write_conversation(const Backend& backend, const Endpoint& way, const Destination& to, Outgoing& out,
                                     std::vector<Header>& fields, Notes& notes) {
  TRY(const ChatRequest* request, conversation());
  std::optional<ChatRequest> more;
  if (said_) request = &more.emplace(continued(*request, *said_, *out.spoken, to));
  std::optional<ChatRequest> without;
  if (holds_foreign_proofs(*request, backend.name, out.spoken->id())) {
    without = *request;
    drop_foreign_proofs(*without, backend.name, out.spoken->id(), notes);
    request = &*without;
  }
  const bool counting = intake_.entry.operation == Operation::count_tokens;
  TRY(auto wire,
      counting ? out.spoken->write_count_request(*request, to, notes) : out.spoken->write_request(*request, to, notes));
  out.own_body = std::move(wire.body);
  out.read = true;
  if (!out.verbatim) {
    if (ToolReturn undo(*request); undo.needed()) out.undo = std::move(undo);
    fields = std::move(wire.headers);
  }
  if (way.form) {
    TRY(const auto members, json::scan_object(out.own_body));
    const auto edits = form_edits(*way.form, members, fields, notes);
    TRY(out.own_body, splice(out.own_body, members, edits));
  }
  out.body = out.own_body;
  return {};
}

Result<void> Ask::write(const Target& target, const Line& line, Outgoing& out, Notes& notes) {
  const Backend& backend = *target.backend;
  const Dialect& asked_in = *intake_.entry.dialect;
  const Operation operation = intake_.entry.operation;
  const bool stream = intake_.peek.stream;
  const Destination to{.model = target.model, .provider = backend.flavour, .stream = stream};
  const Endpoint* way = backend.first_way(asked_in.id(), operation, target.model);
  out.spoken = way ? dialect(way->dialect) : nullptr;
  out.verbatim = out.spoken == &asked_in;
  if (!out.spoken) {
    Error error{.fault = Fault::unsupported};
    error.message = "The backend \"" + backend.name + "\" has no such operation in a dialect that is spoken here.";
    return fail(std::move(error));
  }
  std::vector<Header> fields;
  if (out.verbatim) {
    fields = asked_in.verbatim_headers(intake_.asked());
    // An envelope holds the proof of another vendor: no stranger may see it, not to count it either. What was said to
    // others, and is held here, goes as this vendor takes what it did not say itself.
    const bool recalled = intake_.held && !intake_.held->body.empty();
    if (recalled || said_ || may_hold_proofs()) {
      TRY_VOID(write_conversation(backend, *way, to, out, fields, notes));
    } else {
      TRY_VOID(write_bytes(*way, to, out, fields, notes));
    }
  } else {
    TRY(const ChatRequest* request, conversation());
    if (auto held = held_elsewhere(*request)) return fail(*std::move(held));
    TRY_VOID(write_conversation(backend, *way, to, out, fields, notes));
  }
  // A call that only counts takes fewer parameters than the call that it counts for.
  if (target.leg && !target.leg->edits.empty() && operation == Operation::chat) {
    TRY(out.own_body, json::apply(out.body, target.leg->edits));
    out.body = out.own_body;
  }
  out.at_cloud = way->form != nullptr;
  out.head.clear();
  const std::string path = call_path(backend.url.path, *way, target.model, stream);
  const std::int64_t now = ex_.unix_seconds() + ex_.elapsed_us() / 1'000'000;
  append_head(out.head, intake_, line, path, fields, accept_field(*backend.provider, stream),
              signing_fields(backend, line, path, out.body, now), out.body.size());
  return {};
}

}  // namespace sluice
