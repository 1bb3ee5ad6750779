// The question on its way out: the client's own bytes with a few edits where the upstream speaks the same dialect, else
// decoded once and written in the upstream's. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dialects/tool_return.h"
#include "gateway/stages.h"

namespace sluice {

// A request ready for one target.
struct Outgoing {
  const Dialect* spoken = nullptr;  // the dialect towards the upstream
  bool verbatim = false;            // towards a target of the client's own dialect: the answer passes as it comes
  bool at_cloud = false;            // a cloud speaks it for its vendor: errors are in the cloud's own words
  bool read = false;                // the conversation was read and written anew, though it may be for the same dialect
  std::string head;                 // request line and fields
  std::string own_body;             // when it had to be made
  std::string_view body;            // own_body, or the client's bytes
  std::optional<ToolReturn> undo;   // when tools had to be renamed or wrapped for this upstream
};

class Ask {
 public:
  // Both must outlive it.
  Ask(Exchange& ex, const Intake& intake) : ex_(ex), intake_(intake) {}

  // Errors: bad_request (the body says something impossible), unsupported.
  [[nodiscard]] Result<void> write(const Target& target, const Line& line, Outgoing& out, Notes& notes);
  // The conversation, read at the first call, with what the client dropped of it. Errors: bad_request.
  [[nodiscard]] Result<const ChatRequest*> conversation();
  // Whether it may hold proofs in envelopes: only a conversation that is read can say whose they are.
  [[nodiscard]] bool may_hold_proofs();
  // From here on it asks for the rest of an answer of which this was said; the text must outlive it.
  void go_on_from(std::string_view said) { said_ = said; }
  // What reading it could not keep.
  [[nodiscard]] const Notes& notes() const { return read_notes_; }

 private:
  [[nodiscard]] std::optional<std::int64_t> cap() const;
  [[nodiscard]] Result<void> write_bytes(const Endpoint& way, const Destination& to, Outgoing& out,
                                         std::vector<Header>& fields, Notes& notes);
  [[nodiscard]] Result<void> write_conversation(const Backend& backend, const Endpoint& way, const Destination& to,
                                                Outgoing& out, std::vector<Header>& fields, Notes& notes);
  Exchange& ex_;
  const Intake& intake_;
  std::unique_ptr<const ChatRequest> conversation_;  // apart: most questions are never read
  std::optional<bool> enveloped_;
  std::optional<std::string_view> said_;
  Notes read_notes_;
};

// What signs a request to AWS, as lines; empty for all others.
[[nodiscard]] std::string signing_fields(const Backend& backend, const Line& line, std::string_view path,
                                         std::string_view body, std::int64_t unix_seconds);

}  // namespace sluice
