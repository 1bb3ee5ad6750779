// What the laws (laws_test.cc) run on: samples of real and written traffic of every registered dialect, and the words
// in which two messages are compared. Test code only.
//
// Fixtures of a dialect, in <name>/testdata/:
//   request_*.json  a client's body            reply_*.json  a whole answer
//   stream_*.sse    a whole stream (stream_*.json: a stream that is one JSON array; stream_*.jsonl: one that is binary,
//                   an event a line: {"messageStart": payload})
//   error_*.json    {"status": 429, "kind": x-amzn-errortype, "body": …}: an upstream's error reply
// With SLUICE_SHARED set, the recorded corpus below it is run too.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "dialects/dialect.h"
#include "model/fold.h"

namespace sluice::laws {

enum class Kind : std::uint8_t { request, reply, stream, error };

struct Sample {
  std::string name;  // "openai_chat/stream_tools" or the corpus id
  const Dialect* dialect = nullptr;
  Kind kind = Kind::request;
  std::string body;
  std::string content_type;
  std::string path_model;     // where the path names the model
  bool path_streams = false;  // the path asks for a stream
  std::string error_kind;     // what the head named the error
  int status = 200;           // what the upstream answered: a request that was refused may be refused here too
  bool recorded = false;      // from the corpus
};

// Every sample of that kind, fixtures first.
[[nodiscard]] const std::vector<Sample>& samples(Kind kind);

// A recorded exchange that breaks a law because the recording or the vendor is defective.
struct Exception {
  std::string_view sample, law, reason;
};
// The reason, or null.
[[nodiscard]] const Exception* exception(std::string_view sample, std::string_view law);

// One row of a dialect's spelling table: at places that match `pattern` ("/messages/*/content", '*' one token, "**" any
// number of tokens) `rewrite` gives the one spelling that stands for all; nullopt: the member says nothing.
struct Spelling {
  Kind kind = Kind::request;
  std::string pattern;
  std::function<std::optional<std::string>(json::Value)> rewrite;
};

// How a dialect is judged. One object of this in <name>/laws_test.cc.
struct Judge {
  DialectId dialect = DialectId::openai_chat;
  std::vector<Spelling> spellings;
  // Leaves that say the form, not the matter (a type, a role), or whose word is translated by a row of mapping.md: they
  // need not be found again as text in another dialect. Same patterns.
  std::vector<std::pair<Kind, std::string>> forms;
  // What every dialect can carry: a "lost" Note for it is a breach.
  std::vector<std::pair<Kind, std::string>> carried;
  // A stream that ends well holds one of these.
  std::vector<std::string> terminal_words;
  // Says less than a conversation: what every dialect can carry may be lost here, with its Note.
  bool narrow = false;
};
class Register {
 public:
  explicit Register(Judge judge);
};
[[nodiscard]] const Judge& judge(DialectId dialect);

// The JSON text with every spelling of `dialect` put into its one form.
[[nodiscard]] std::string spelled(std::string_view text, DialectId dialect, Kind kind);

[[nodiscard]] bool matches(std::string_view pattern, std::string_view pointer);

// Every scalar below, by pointer: strings decoded, the rest as text. A string that is itself a JSON object or array is
// opened ("/arguments" + "/city"), a data URL is its type ("/url" + "/mime") and its base64; bytes of the URL's
// alphabet are told in the standard one.
using Leaves = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Leaves leaves(std::string_view text);

// Leaves of `from` (a message of `dialect`) that neither arrived in `to` nor are covered by a Note; empty = none.
[[nodiscard]] std::vector<std::string> unexplained(std::string_view from, std::string_view to, DialectId dialect,
                                                   Kind kind, const std::vector<Note>& notes,
                                                   const std::set<std::string>& explained = {}, bool to_narrow = false);
// The texts of `message` that a Note points at: on a way back they are explained wherever they stood before.
[[nodiscard]] std::set<std::string> noted_texts(std::string_view message, const std::vector<Note>& notes);

// The events as text, one a line, for comparing.
[[nodiscard]] std::string describe(const std::vector<Event>& events);
// Two replies as text for comparing; `ground` leaves out what only the own dialect keeps (raw words, extras).
[[nodiscard]] std::string describe(const Reply& reply, bool ground);

// Feeds `pieces` through framer and reader, and ends.
[[nodiscard]] std::vector<Event> read_stream(Framer& framer, StreamReader& reader,
                                             const std::vector<std::string_view>& pieces);
[[nodiscard]] std::vector<Event> read_stream(const Dialect& dialect, std::string_view content_type,
                                             const std::vector<std::string_view>& pieces);
[[nodiscard]] std::string write_stream(const Dialect& dialect, const std::vector<Event>& events);

// Every whole and streamed answer there is, as events. How many there were.
template <class Do>
int for_every_answer(Do&& take) {
  int tried = 0;
  for (const Kind kind : {Kind::reply, Kind::stream}) {
    for (const Sample& sample : samples(kind)) {
      std::vector<Event> events;
      if (kind == Kind::stream) {
        events = read_stream(*sample.dialect, sample.content_type, {sample.body});
      } else if (const auto reply = sample.dialect->read_reply(sample.body)) {
        events = unfold(*reply);
      }
      if (events.empty() || !std::holds_alternative<Begin>(events.front())) continue;
      take(sample, events);
      ++tried;
    }
  }
  return tried;
}

// Counts per dialect and law, printed at the end of the run.
class Tally {
 public:
  void tried(const Sample& sample, std::string_view law, bool passed);
  void noted(const Sample& sample, const std::vector<Note>& notes);
  void print() const;

 private:
  struct Count {
    int tried = 0, passed = 0, excepted = 0;
  };
  std::map<std::string, std::map<std::string, Count>> counts_;
  std::map<std::string, std::map<std::string, int>> notes_;
};
[[nodiscard]] Tally& tally();

}  // namespace sluice::laws
