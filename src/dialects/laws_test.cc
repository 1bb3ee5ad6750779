// The laws that every registered dialect obeys, stated once (ARCHITECTURE.md, "N codecs"): identity, conservation,
// there and back, any cut, fold, grammar, no false end. What they run on: laws.h. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dialects/registry.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice::laws {
namespace {

constexpr std::size_t small = 3000;  // bytes of a stream that is cut at every byte

// Fails the test unless the sample is on the list of exceptions.
void judge_law(const Sample& sample, std::string_view law, const std::string& breach) {
  tally().tried(sample, law, breach.empty());
  if (breach.empty()) return;
  if (exception(sample.name, law) == nullptr) ADD_FAILURE() << sample.name << " breaks " << law << ": " << breach;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += "\n    " + line;
  return out;
}

const HeaderView version{"anthropic-version", "2023-06-01"};

Asked asked(const Sample& sample, std::string_view body) {
  return {.path_model = sample.path_model,
          .path_streams = sample.path_streams,
          .headers = std::span(&version, 1),
          .body = body};
}

// A destination that asks for nothing special.
Destination plain(const ChatRequest& request) {
  return {.model = request.model, .provider = "compatible", .stream = request.stream};
}
Destination own(const ChatRequest& request, const Dialect& dialect) {
  Destination to = plain(request);
  if (dialect.id() == DialectId::anthropic || dialect.id() == DialectId::gemini) to.provider = dialect.name();
  return to;
}

Question question() {
  return {.model = "asked-model", .exchange_id = "exchange-1", .unix_seconds = 1700000000};
}

// The request, or nullopt when the upstream refused it as well.
std::optional<ChatRequest> read(const Sample& sample, std::string_view body, std::string_view law) {
  Notes notes;
  auto request = sample.dialect->read_request(asked(sample, body), notes);
  if (request) return *std::move(request);
  if (sample.status < 400) judge_law(sample, law, "not read: " + request.error()->message);
  return std::nullopt;
}

Part* first_user_text(ChatRequest& request) {
  for (Turn& turn : request.turns) {
    if (turn.role != Role::user) continue;
    for (Part& part : turn.parts) {
      if (part.as<Text>() != nullptr) return &part;
    }
  }
  return nullptr;
}

std::size_t differing_leaves(std::string_view a, std::string_view b) {
  const Leaves x = leaves(a);
  const Leaves y = leaves(b);
  if (x.size() != y.size()) return x.size() + y.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) count += x[i] != y[i];
  return count;
}

TEST(Laws, RequestIdentity) {
  for (const Sample& sample : samples(Kind::request)) {
    auto request = read(sample, sample.body, "request identity");
    if (!request) continue;
    Notes notes;
    const auto written = sample.dialect->write_request(*request, own(*request, *sample.dialect), notes);
    if (!written) {
      if (sample.status < 400) judge_law(sample, "request identity", "not written: " + written.error()->message);
      continue;
    }
    judge_law(sample, "request identity",
              json::difference(spelled(sample.body, sample.dialect->id(), Kind::request),
                               spelled(written->body, sample.dialect->id(), Kind::request)));
    // One edit changes one leaf: nothing is kept as a whole.
    Part* part = first_user_text(*request);
    if (part == nullptr) continue;
    part->as<Text>()->text = "edited by the law";
    const auto edited = sample.dialect->write_request(*request, own(*request, *sample.dialect), notes);
    ASSERT_TRUE(edited) << sample.name;
    const std::size_t differing = differing_leaves(written->body, edited->body);
    judge_law(sample, "request identity, edited",
              differing == 1 ? "" : "one edit changed " + std::to_string(differing) + " leaves");
  }
}

TEST(Laws, RequestConservation) {
  for (const Sample& sample : samples(Kind::request)) {
    if (sample.status >= 400) continue;
    const auto request = read(sample, sample.body, "request conservation");
    if (!request) continue;
    for (const Dialect* other : dialects()) {
      if (other == sample.dialect) continue;
      const std::string law = "request conservation -> " + std::string(other->name());
      Notes notes;
      const auto written = other->write_request(*request, own(*request, *other), notes);
      tally().noted(sample, notes.all());
      if (!written) {
        judge_law(sample, law, written.error()->fault == Fault::unsupported ? "" : written.error()->message);
        continue;
      }
      judge_law(sample, law,
                joined(unexplained(sample.body, written->body, sample.dialect->id(), Kind::request, notes.all(), {},
                                   judge(other->id()).narrow)));
    }
  }
}

TEST(Laws, RequestThereAndBack) {
  for (const Sample& sample : samples(Kind::request)) {
    if (sample.status >= 400) continue;
    auto request = read(sample, sample.body, "request there and back");
    if (!request) continue;
    if (request->model.empty()) request->model = "a-model";  // a recording without it
    for (const Dialect* other : dialects()) {
      if (other == sample.dialect) continue;
      const std::string law = "request there and back " + std::string(other->name());
      Notes there;
      const auto out = other->write_request(*request, own(*request, *other), there);
      if (!out) continue;
      Sample back_sample = sample;
      back_sample.path_model = request->model;
      back_sample.path_streams = request->stream;
      Notes reading;
      const auto again = other->read_request(asked(back_sample, out->body), reading);
      if (!again) {
        judge_law(sample, law, "its own words were not read: " + again.error()->message);
        continue;
      }
      Notes second;
      const auto twice = other->write_request(*again, own(*again, *other), second);
      if (!twice) {
        judge_law(sample, law, "the second trip was refused: " + twice.error()->message);
        continue;
      }
      const std::string moved = json::difference(spelled(out->body, other->id(), Kind::request),
                                                 spelled(twice->body, other->id(), Kind::request));
      if (!moved.empty()) {
        judge_law(sample, law, "the second trip changed " + moved);
        continue;
      }
      Notes home;
      const auto back = sample.dialect->write_request(*again, own(*again, *sample.dialect), home);
      if (!back) {
        const bool narrow = judge(sample.dialect->id()).narrow && back.error()->fault == Fault::unsupported;
        judge_law(sample, law, narrow ? "" : "no way back: " + back.error()->message);
        continue;
      }
      judge_law(sample, law,
                joined(unexplained(sample.body, back->body, sample.dialect->id(), Kind::request, there.all(),
                                   noted_texts(out->body, home.all()))));
    }
  }
}

TEST(Laws, ReplyIdentity) {
  for (const Sample& sample : samples(Kind::reply)) {
    const auto reply = sample.dialect->read_reply(sample.body);
    if (!reply) {
      judge_law(sample, "reply identity", "not read: " + reply.error()->message);
      continue;
    }
    Notes notes;
    const std::string written = sample.dialect->write_reply(*reply, question(), notes);
    judge_law(sample, "reply identity",
              json::difference(spelled(sample.body, sample.dialect->id(), Kind::reply),
                               spelled(written, sample.dialect->id(), Kind::reply)));
    const auto quick = sample.dialect->reply_usage(sample.body);
    const Usage full = reply->usage;
    judge_law(sample, "reply usage without reading",
              (quick ? *quick : Usage{}) == (full.known() ? full : Usage{}) ? "" : "differs from the whole reading");
  }
}

TEST(Laws, ReplyConservation) {
  for (const Sample& sample : samples(Kind::reply)) {
    const auto reply = sample.dialect->read_reply(sample.body);
    if (!reply) continue;
    for (const Dialect* other : dialects()) {
      if (other == sample.dialect) continue;
      Notes notes;
      const std::string written = other->write_reply(*reply, question(), notes);
      tally().noted(sample, notes.all());
      judge_law(sample, "reply conservation -> " + std::string(other->name()),
                joined(unexplained(sample.body, written, sample.dialect->id(), Kind::reply, notes.all(), {},
                                   judge(other->id()).narrow)));
    }
  }
}

TEST(Laws, ReplyThereAndBack) {
  for (const Sample& sample : samples(Kind::reply)) {
    const auto reply = sample.dialect->read_reply(sample.body);
    if (!reply) continue;
    for (const Dialect* other : dialects()) {
      if (other == sample.dialect) continue;
      const std::string law = "reply there and back " + std::string(other->name());
      Notes there;
      const std::string out = other->write_reply(*reply, question(), there);
      const auto again = other->read_reply(out);
      if (!again) {
        judge_law(sample, law, "its own words were not read: " + again.error()->message);
        continue;
      }
      Notes second;
      judge_law(sample, law,
                json::difference(spelled(out, other->id(), Kind::reply),
                                 spelled(other->write_reply(*again, question(), second), other->id(), Kind::reply)));
    }
  }
}

TEST(Laws, AnyCut) {
  for (const Sample& sample : samples(Kind::stream)) {
    const std::string_view body = sample.body;
    const std::string whole = describe(read_stream(*sample.dialect, sample.content_type, {body}));
    std::string breach;
    const auto compare = [&](const std::vector<std::string_view>& pieces, std::size_t at) {
      if (!breach.empty()) return;
      if (describe(read_stream(*sample.dialect, sample.content_type, pieces)) != whole) {
        breach = "cut near byte " + std::to_string(at);
      }
    };
    if (body.size() <= small && !sample.recorded) {
      for (std::size_t i = 1; i < body.size(); ++i) compare({body.substr(0, i), body.substr(i)}, i);
    } else {
      std::mt19937 random(static_cast<unsigned>(body.size()));
      for (int round = 0; round < 8; ++round) {
        std::vector<std::string_view> pieces;
        std::size_t at = 0;
        const std::size_t most = round < 4 ? 40 : 4000;
        while (at < body.size()) {
          const std::size_t size = std::min(body.size() - at, 1 + random() % most);
          pieces.push_back(body.substr(at, size));
          at += size;
        }
        compare(pieces, 0);
      }
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < std::min<std::size_t>(body.size(), 20000); ++i) bytes.push_back(body.substr(i, 1));
    if (body.size() > bytes.size()) bytes.push_back(body.substr(bytes.size()));
    compare(bytes, 1);
    judge_law(sample, "any cut", breach);
  }
}

std::string grammar_breach(const std::vector<Event>& events) {
  Grammar grammar;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (auto fault = grammar.check(events[i]); !fault.empty()) return fault + " (event " + std::to_string(i) + ")";
  }
  return grammar.check_end();
}

TEST(Laws, GrammarOfStreams) {
  for (const Sample& sample : samples(Kind::stream)) {
    judge_law(sample, "grammar", grammar_breach(read_stream(*sample.dialect, sample.content_type, {sample.body})));
  }
}

// Names that the upstream did not give are made by the writer: they are no difference.
void forget_made_names(const Reply& before, Reply& after) {
  if (before.id.empty()) after.id.clear();
  if (before.model.empty()) after.model.clear();
  for (std::size_t c = 0; c < std::min(before.choices.size(), after.choices.size()); ++c) {
    const auto& parts = before.choices[c].parts;
    for (std::size_t p = 0; p < std::min(parts.size(), after.choices[c].parts.size()); ++p) {
      const auto* call = parts[p].as<ToolCall>();
      auto* again = after.choices[c].parts[p].as<ToolCall>();
      if (call != nullptr && again != nullptr && call->id.empty()) again->id.clear();
    }
  }
}

std::string fold_breach(const Dialect& dialect, const Reply& reply) {
  const std::string bytes = write_stream(dialect, unfold(reply));
  const auto events = read_stream(dialect, dialect.stream_writer(question())->content_type(), {bytes});
  if (auto fault = grammar_breach(events); !fault.empty()) return "grammar of its own stream: " + fault;
  Fold fold;
  for (const Event& event : events) fold.add(event);
  auto again = fold.take();
  if (!again) return "its own stream failed: " + again.error()->message + ' ' + again.error()->detail;
  forget_made_names(reply, *again);
  const std::string before = describe(reply, true);
  const std::string after = describe(*again, true);
  return before == after ? "" : "\n--- before\n" + before + "--- after\n" + after;
}

TEST(Laws, FoldOfReplies) {
  for (const Sample& sample : samples(Kind::reply)) {
    const auto reply = sample.dialect->read_reply(sample.body);
    if (!reply) continue;
    Fold fold;
    for (const Event& event : unfold(*reply)) fold.add(event);
    const auto same = fold.take();
    judge_law(sample, "fold(unfold)",
              same && describe(*same, false) == describe(*reply, false) ? "" : "a reply changed in fold(unfold)");
    judge_law(sample, "fold through own stream", fold_breach(*sample.dialect, *reply));
  }
}

TEST(Laws, FoldOfStreams) {
  for (const Sample& sample : samples(Kind::stream)) {
    Fold fold;
    for (const Event& event : read_stream(*sample.dialect, sample.content_type, {sample.body})) fold.add(event);
    if (!fold.complete()) continue;
    const auto reply = fold.take();
    ASSERT_TRUE(reply) << sample.name;
    judge_law(sample, "fold of stream", fold_breach(*sample.dialect, *reply));
    for (const Dialect* other : dialects()) {
      if (other == sample.dialect) continue;
      const std::string bytes = write_stream(*other, unfold(*reply));
      const auto events = read_stream(*other, other->stream_writer(question())->content_type(), {bytes});
      judge_law(sample, "grammar in " + std::string(other->name()), grammar_breach(events));
    }
  }
}

TEST(Laws, NoFalseEnd) {
  for (const Sample& sample : samples(Kind::stream)) {
    const std::string_view body = sample.body;
    const auto& words = judge(sample.dialect->id()).terminal_words;
    std::string breach;
    // Where to cut: at every byte of a small fixture, else behind every event and in the middle of it.
    std::vector<std::size_t> cuts;
    if (body.size() <= small && !sample.recorded) {
      for (std::size_t i = 0; i < body.size(); ++i) cuts.push_back(i);
    } else if (sample.content_type == "application/vnd.amazon.eventstream") {
      // Each message tells its own length.
      for (std::size_t at = 0, size = 0; at + 4 <= body.size(); at += size) {
        size = 0;
        for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(body[at + i]);
        cuts.push_back(at);
        cuts.push_back(at + size / 2);
      }
      if (cuts.size() > 50) cuts.erase(cuts.begin() + 20, cuts.end() - 30);
    } else {
      std::size_t last = 0;
      for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] != '\n') continue;
        cuts.push_back(i);
        cuts.push_back(last + (i - last) / 2);
        last = i;
      }
      // Early cuts are all alike: of a long stream the first 20 and the last 30 are tried.
      if (cuts.size() > 50) cuts.erase(cuts.begin() + 20, cuts.end() - 30);
    }
    for (const std::size_t cut : cuts) {
      const std::string_view prefix = body.substr(0, cut);
      const auto events = read_stream(*sample.dialect, sample.content_type, {prefix});
      const bool ended = !events.empty() && std::holds_alternative<End>(events.back());
      const bool failed = !events.empty() && std::holds_alternative<Failed>(events.back());
      if (ended == failed) breach = "neither end nor failure";
      // The observer of untouched streams agrees with the reader.
      const auto framer = sample.dialect->framer(sample.content_type);
      const auto reader = sample.dialect->stream_reader();
      framer->feed(prefix);
      bool error_seen = false;
      std::string told(prefix);  // and what binary frames hold
      for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
        error_seen |= reader->observe(**frame).error.has_value();
        told += (*frame)->data;
      }
      const auto last = framer->end();
      if (last && *last) error_seen |= reader->observe(**last).error.has_value();
      const bool may_end =
          std::ranges::any_of(words, [&](const std::string& word) { return told.find(word) != std::string::npos; });
      if (ended && !may_end) breach = "a clean end before the terminal condition";
      const bool complete = last && reader->complete();
      if (!error_seen && complete != ended) {
        breach = std::string("the observer says ") + (complete ? "complete" : "incomplete") + ", the reader ends " +
                 (ended ? "well" : "broken");
      }
      if (!breach.empty()) {
        breach += " at byte " + std::to_string(cut);
        break;
      }
    }
    judge_law(sample, "no false end", breach);
  }
}

TEST(Laws, ErrorsAreReadAndSpokenByEveryDialect) {
  for (const Sample& sample : samples(Kind::error)) {
    const Error error = sample.dialect->read_error(sample.status, sample.body, sample.error_kind);
    judge_law(sample, "error read", error.message.empty() ? "no message" : "");
    for (const Dialect* other : dialects()) {
      const std::string body = other->write_error(error, "req-1");
      const Error again = other->read_error(error.http_status(), body);
      judge_law(sample, "error spoken by " + std::string(other->name()),
                !json::valid(body)                                       ? "not JSON: " + body
                : again.message.find(error.message) == std::string::npos ? "the message is lost: " + body
                                                                         : "");
    }
  }
}

class PrintAtEnd : public testing::Environment {
 public:
  void TearDown() override { tally().print(); }
};
const testing::Environment* const at_end = testing::AddGlobalTestEnvironment(new PrintAtEnd);

}  // namespace
}  // namespace sluice::laws
