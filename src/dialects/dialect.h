// The contract of a wire format: how it is read into the canonical conversation and written from it, both ways, whole
// and streamed. A dialect is pure: no I/O, no coroutine, no clock, no state between calls; one constant object each.
// Where a vendor lives and how it authenticates is not here (providers/).
//
// Laws that every dialect obeys: laws_test.cc. A new one: a folder, one line in registry.cc, its fixtures.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "dialects/limit_spelling.h"
#include "dialects/model_page.h"
#include "model/chat.h"
#include "model/event.h"
#include "model/notes.h"
#include "model/reply.h"

namespace sluice {

enum class Operation : std::uint8_t { chat, count_tokens, models, model };
[[nodiscard]] constexpr std::string_view name(Operation operation) {
  switch (operation) {
    case Operation::chat: return "chat";
    case Operation::count_tokens: return "count_tokens";
    case Operation::models: return "models";
    case Operation::model: return "model";
  }
  return "";
}

// A way in. `path` may hold one {model} (percent-decoded by the caller, may contain slashes):
// "/v1beta/models/{model}:generateContent".
struct Door {
  std::string_view method;
  std::string_view path;
  Operation operation = Operation::chat;
  bool streams = false;  // the path itself asks for a stream (Gemini)
};

using HeaderView = std::pair<std::string_view, std::string_view>;  // names in lower case
using Header = std::pair<std::string, std::string>;

// A client's request as its dialect sees it; views owned by the caller.
struct Asked {
  std::string_view path_model;          // from the path, empty where the body names the model
  bool path_streams = false;            // Door::streams
  std::string_view query;               // after '?', raw
  std::span<const HeaderView> headers;  // the client's headers
  std::string_view body;
  json::Utf8 utf8 = json::Utf8::unchecked;  // of `body`
};

// What is known after one walk over the top-level members, without reading the conversation.
struct Peek {
  std::string model;
  bool stream = false;
  bool usage_asked = false;   // the client wants usage in its stream (always true where the dialect always sends it)
  bool stream_array = false;  // Gemini without alt=sse: the stream is one JSON array
  std::string within;         // pointer to the question itself, where the body holds it inside (to be counted)
  std::string_view question;  // its text there; empty: the body is it
  std::vector<json::TopMember> members;  // spans of the body
};

// Whom a request is written for.
struct Destination {
  std::string_view model;     // the upstream's name for the model
  std::string_view provider;  // "openai", "anthropic", "gemini", "azure", "deepseek", …; "compatible" for look-alikes
  bool stream = false;        // what is asked of the upstream (may differ from what the client asked)
};

// A request ready for the wire but for host, path and auth. Headers: only the dialect's own (anthropic-version …).
struct WireRequest {
  std::string body;
  std::vector<Header> headers;
};

// What a writer of answers must know about the question.
struct Question {
  std::string_view model;         // as the client asked
  std::string_view exchange_id;   // for ids that the upstream did not give
  std::int64_t unix_seconds = 0;  // for a creation time that the upstream did not give
  bool usage_asked = true;
  bool stream_array = false;
  // The client's own top-level members, for replies that repeat the question (Responses). Views into its body; empty
  // where nobody reads them. A stream writer copies what it needs of them when it is made: they do not live as long.
  std::span<const json::TopMember> asked;
};

// One unit of a stream's framing. Views are valid until the framer is fed again.
struct Frame {
  std::string_view event;  // SSE event name or AWS :event-type; may be empty
  std::string_view data;   // payload
  std::string_view raw;    // exact bytes from the wire, for forwarding untouched
  bool comment = false;    // keep-alive comment only
  bool failure = false;    // the framing itself says error (AWS :message-type): `event` is its name or code
};

// Bytes -> frames. feed() takes a piece (copied only as far as needed), next() yields frames until nullopt.
class Framer {
 public:
  virtual ~Framer() = default;
  virtual void feed(std::string_view bytes) = 0;
  // Error: upstream_broken (oversized frame, bad CRC …); the stream is then dead.
  [[nodiscard]] virtual Result<std::optional<Frame>> next() = 0;
  // The bytes are over: the last frame if the framing allows it to stand unterminated. Error: cut inside a frame.
  [[nodiscard]] virtual Result<std::optional<Frame>> end() = 0;
};

// What the relay of an untouched stream wants to know of one frame.
struct Sight {
  bool content = false;        // the first of these is the first token
  bool terminal = false;       // the dialect's terminal condition is now fulfilled
  bool only_usage = false;     // carries nothing but usage: dropped when the client did not ask
  std::optional<Usage> usage;  // cumulative
  std::optional<Error> error;  // an in-stream error
};

// Frames -> events. One per stream.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  // Appends the events of one frame. A broken or error frame appends Failed; after Failed or End nothing more comes.
  virtual void read(const Frame& frame, std::vector<Event>& out) = 0;
  // The bytes are over: appends what was held back and End, or Failed when the terminal condition was never met.
  virtual void end(std::vector<Event>& out) = 0;
  // For a relay that forwards frames untouched: use either read/end or observe/complete on one reader, never both.
  virtual Sight observe(const Frame& frame) = 0;
  // True once the terminal condition was seen: the end of bytes is then a proper end.
  [[nodiscard]] virtual bool complete() const = 0;
};

// Events -> bytes. One per stream. Events must obey the grammar (model/grammar.h).
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // Appends the bytes of one event. Failed is spoken in the dialect's in-stream form, never as a clean end.
  virtual void write(const Event& event, std::string& out) = 0;
  // Appends a keep-alive that every client of this dialect ignores; nothing where there is none (Bedrock).
  virtual void keep_alive(std::string& out) = 0;
  [[nodiscard]] virtual std::string_view content_type() const = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual DialectId id() const = 0;
  [[nodiscard]] std::string_view name() const { return sluice::name(id()); }
  [[nodiscard]] virtual std::span<const Door> doors() const = 0;

  // One walk over the top-level members. Errors: bad_request for malformed JSON, a member of routing that stands twice
  // or has the wrong type, a missing model.
  [[nodiscard]] virtual Result<Peek> peek(const Asked& asked) const = 0;
  // The edits that a request needs when it goes untouched to a target of this dialect: the model's name, and what lets
  // us count (stream_options.include_usage). Only top-level pointers.
  [[nodiscard]] virtual std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) const = 0;
  // Headers of this dialect that go along on the verbatim path (anthropic-version, anthropic-beta …).
  [[nodiscard]] virtual std::vector<Header> verbatim_headers(const Asked& asked) const = 0;

  // Errors: bad_request with the vendor's own wording where known (names the field in Error::param).
  [[nodiscard]] virtual Result<ChatRequest> read_request(const Asked& asked, Notes& notes) const = 0;
  // Errors: unsupported when the meaning would be wrong (mapping.md "reject").
  [[nodiscard]] virtual Result<WireRequest> write_request(const ChatRequest& request, const Destination& to,
                                                          Notes& notes) const = 0;

  // What an assistant turn at the end of a request must hold besides its text, so that the model there goes on with it
  // as if it had just said that; nullopt where none does.
  [[nodiscard]] virtual std::optional<Extras> prefill(const ChatRequest& /*request*/, const Destination& /*to*/) const {
    return std::nullopt;
  }

  // Error: upstream_broken for what is no reply of this dialect; an error object inside a 200 becomes that error.
  [[nodiscard]] virtual Result<Reply> read_reply(std::string_view body) const = 0;
  [[nodiscard]] virtual std::string write_reply(const Reply& reply, const Question& question, Notes& notes) const = 0;
  // Usage of a whole reply without reading the rest: for the verbatim path. nullopt when there is none.
  [[nodiscard]] virtual std::optional<Usage> reply_usage(std::string_view body) const = 0;

  // Counting, in the dialects that have a call for it (Operation::count_tokens); the others are never asked. A client's
  // question to be counted is read by read_request(): what a count leaves out is not missed there.
  // The conversation as that call takes it: what write_request() says, without the members that it refuses. `request`
  // was left with what counts (count.h). Errors: as there.
  [[nodiscard]] virtual Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to,
                                                                Notes& notes) const;
  // The tokens of a question as the vendor counted them. Error: upstream_broken for what is no such answer.
  [[nodiscard]] virtual Result<std::int64_t> read_count(std::string_view body) const;
  // The answer to a client that asked for a count.
  [[nodiscard]] virtual std::string write_count(std::int64_t tokens) const;

  // The framer of this dialect's stream for a response content type ("text/event-stream", "application/json" for
  // Gemini's array form, "application/vnd.amazon.eventstream").
  [[nodiscard]] virtual std::unique_ptr<Framer> framer(std::string_view content_type) const = 0;
  [[nodiscard]] virtual std::unique_ptr<StreamReader> stream_reader() const = 0;
  [[nodiscard]] virtual std::unique_ptr<StreamWriter> stream_writer(const Question& question) const = 0;
  // Whether a stream can name a source of a text that is over.
  [[nodiscard]] virtual bool cites_late() const { return false; }

  // An upstream's error reply (any status >= 400, any body: JSON, HTML, nothing) by the fault table; verbatim is filled
  // by the caller. retry_after is taken from the body where the dialect has it there (RetryInfo), headers are the
  // caller's. `kind`: the value of x-amzn-errortype, empty where there is none: AWS names the exception only there.
  [[nodiscard]] virtual Error read_error(int status, std::string_view body, std::string_view kind = {}) const = 0;
  // The body of an error reply to a client of this dialect.
  [[nodiscard]] virtual std::string write_error(const Error& error, std::string_view request_id) const = 0;

  // The value of x-amzn-errortype, for clients that look for an error's name there; empty for all others.
  [[nodiscard]] virtual std::string_view error_kind(const Error& /*error*/) const { return {}; }

  // How clients of this dialect are told of limits. OpenAI's spelling is what everybody else's clients know too.
  [[nodiscard]] virtual const LimitSpelling& limit_spelling() const { return openai_limits; }
  // How the names of the vendor's own response fields begin, which go along to clients of this dialect only
  // ("openai-").
  [[nodiscard]] virtual std::string_view own_fields() const { return {}; }
  // The name of the header that carries the request id to clients of this dialect ("x-request-id", "request-id").
  [[nodiscard]] virtual std::string_view request_id_header() const = 0;
  // How a page of the list of models is asked for; nothing where the list has no pages.
  [[nodiscard]] virtual PageWords page_words() const { return {}; }
  // The answer to a model list; the body of one model when `one`.
  [[nodiscard]] virtual std::string write_models(const ModelPage& page, bool one) const = 0;
};

}  // namespace sluice
