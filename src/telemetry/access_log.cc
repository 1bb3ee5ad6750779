// SPDX-License-Identifier: MIT
#include "telemetry/access_log.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/print.h"
#include "telemetry/line.h"
#include "telemetry/token_buckets.h"

namespace sluice {
namespace {

constexpr std::size_t short_text = 256;  // names, ids
constexpr std::size_t long_text = 1024;  // messages, details
constexpr std::size_t most_notes = 32, most_attempts = 16;

std::string_view name(NoteKind kind) {
  switch (kind) {
    case NoteKind::lost: return "lost";
    case NoteKind::restated: return "restated";
    case NoteKind::added: return "added";
  }
  return "";
}

// Members of a JSON object. `key` is written as it stands: comma, quotes and colon included.
template <std::size_t size>
void text(Print& out, const char (&key)[size], std::string_view value, std::size_t most = short_text) {
  if (value.empty()) return;
  out.text(key);
  line::quoted(out, value, most);
}
template <std::size_t size>
void integer(Print& out, const char (&key)[size], std::int64_t value) {
  out.text(key);
  out.number(value);
}
// A time that may not have happened.
template <std::size_t size>
void ms(Print& out, const char (&key)[size], std::int64_t us) {
  if (us < 0) return;
  out.text(key);
  out.number(us / 1000);
  out.character('.');
  out.three_digits(static_cast<unsigned>(us % 1000));
}

void tokens(Print& out, const Usage& usage) {
  if (!usage.known()) return;
  out.text(",\"tokens\":{");
  bool first = true;
  for (const auto& bucket : token_buckets) {
    const auto& count = usage.*bucket.tokens;
    if (!count) continue;
    if (!std::exchange(first, false)) out.character(',');
    out.character('"');
    out.text(bucket.type);
    integer(out, "\":", *count);
  }
  out.character('}');
  if (usage.estimated) out.text(",\"tokens_estimated\":true");
  first = true;
  for (const auto& bucket : media_buckets) {
    const auto& count = usage.*bucket.tokens;
    if (!count) continue;
    out.text(std::exchange(first, false) ? ",\"media_tokens\":{\"" : ",\"");
    out.text(bucket.type);
    integer(out, "\":", *count);
  }
  if (!first) out.character('}');
}

void units(Print& out, const Units& told) {
  if (!told.known()) return;
  bool first = true;
  for (const auto& bucket : unit_buckets) {
    const std::int64_t count = told.*bucket.count;
    if (count < 0) continue;
    out.text(std::exchange(first, false) ? ",\"units\":{\"" : ",\"");
    out.text(bucket.type);
    integer(out, "\":", count / bucket.per);
    if (bucket.per == 1) continue;
    out.character('.');
    out.three_digits(static_cast<unsigned>(count % bucket.per));
  }
  out.character('}');
}

void notes(Print& out, const std::vector<Note>& all) {
  if (all.empty()) return;
  out.text(",\"notes\":[");
  for (std::size_t i = 0; i < std::min(all.size(), most_notes); ++i) {
    if (i != 0) out.character(',');
    out.text("{\"kind\":\"");
    out.text(name(all[i].kind));
    out.character('"');
    text(out, ",\"at\":", all[i].pointer);
    text(out, ",\"why\":", all[i].reason);
    out.character('}');
  }
  out.character(']');
  if (all.size() > most_notes) integer(out, ",\"notes_in_all\":", static_cast<std::int64_t>(all.size()));
}

void attempt(Print& out, const Attempt& one, const Usage* spent) {
  out.text("{\"backend\":");
  line::quoted(out, one.backend, short_text);
  text(out, ",\"model\":", one.model);
  if (one.status != 0) integer(out, ",\"status\":", one.status);
  ms(out, ",\"started_ms\":", one.started_us);
  ms(out, ",\"sent_ms\":", one.sent_us);
  ms(out, ",\"head_ms\":", one.head_us);
  ms(out, ",\"first_token_ms\":", one.first_token_us);
  ms(out, ",\"ended_ms\":", one.ended_us);
  if (one.fresh_connection) out.text(",\"fresh\":true");
  if (one.verbatim) out.text(",\"verbatim\":true");
  text(out, ",\"upstream_id\":", one.upstream_request_id);
  if (one.fault) text(out, ",\"fault\":", fault_row(*one.fault).name);
  if (one.mirror) out.text(",\"mirror\":true");
  if (one.hedge) out.text(",\"hedge\":true");
  if (one.given_up) out.text(",\"given_up\":true");
  if (spent) tokens(out, *spent);
  text(out, ",\"detail\":", one.detail, long_text);
  out.character('}');
}

// Of that attempt, whose answer the client did not get; null when nothing is known.
const Usage* spent(const Record& r, std::size_t attempt) {
  const auto found = std::ranges::find(r.spent, attempt, &Spent::attempt);
  return found == r.spent.end() ? nullptr : &found->usage;
}

void attempts(Print& out, const Record& r) {
  const std::vector<Attempt>& all = r.attempts;
  if (all.empty()) return;
  out.text(",\"attempts\":[");
  // The last ones tell how it ended.
  const std::size_t first = all.size() - std::min(all.size(), most_attempts);
  for (std::size_t i = first; i < all.size(); ++i) {
    if (i != first) out.character(',');
    attempt(out, all[i], spent(r, i));
  }
  out.character(']');
}

}  // namespace

LogLevel level_of(const Record& record) {
  if (!record.fault) return LogLevel::info;
  if (*record.fault == Fault::internal) return LogLevel::error;
  return fault_row(*record.fault).blame == Blame::client ? LogLevel::info : LogLevel::warning;
}

void append_exchange_json(std::string& line, const Record& r, LogLevel level) {
  Print out(line);
  out.text("{\"ts\":\"");
  out.text(line::stamp(r.unix_ms));
  out.text("\",\"level\":\"");
  out.text(name(level));
  out.text("\",\"kind\":\"exchange\",\"id\":");
  line::quoted(out, r.id, short_text);
  text(out, ",\"mirror_of\":", r.mirror_of);
  text(out, ",\"client_id\":", r.client_id);
  text(out, ",\"trace_id\":", r.trace_id);
  text(out, ",\"caller\":", r.caller);
  text(out, ",\"groups\":", r.groups);
  text(out, ",\"tags\":", r.tags);
  text(out, ",\"peer\":", r.peer);
  text(out, ",\"method\":", r.method);
  text(out, ",\"door\":", r.door);
  text(out, ",\"operation\":", r.operation);
  text(out, ",\"dialect\":", r.dialect);
  text(out, ",\"model\":", r.model);
  text(out, ",\"served\":", r.served);
  if (const Attempt* one = r.telling()) text(out, ",\"backend\":", one->backend);
  if (r.stream) out.text(",\"stream\":true");
  if (r.coalesced) out.text(",\"coalesced\":true");
  integer(out, ",\"status\":", r.status);
  ms(out, ",\"first_token_ms\":", r.first_token_us);
  ms(out, ",\"total_ms\":", r.total_us);
  integer(out, ",\"own_us\":", r.own_us);
  if (r.queue_us > 0) integer(out, ",\"queue_us\":", r.queue_us);
  integer(out, ",\"bytes_in\":", static_cast<std::int64_t>(r.bytes_in));
  integer(out, ",\"bytes_out\":", static_cast<std::int64_t>(r.bytes_out));
  tokens(out, r.usage);
  units(out, r.units);
  text(out, ",\"finish\":", r.finish);
  notes(out, r.notes);
  if (r.fault) text(out, ",\"fault\":", fault_row(*r.fault).name);
  text(out, ",\"error\":", r.error, long_text);
  text(out, ",\"detail\":", r.detail, long_text);
  attempts(out, r);
  out.text("}\n");
}

// 16:18:58.123 200 POST /v1/chat/completions smart -> openai/gpt-4 1234.567 ms (first 350.120, own 85 us) 12+340 tokens
// local
void append_exchange_text(std::string& out, const Record& r, LogLevel level, LogStyle style) {
  using line::Paint;
  const auto word = [&out](std::string_view value) {
    if (value.empty()) return;
    out += ' ';
    line::append_plain(out, value, short_text);
  };
  line::append_paint(out, style, Paint::grey);
  line::append_clock(out, r.unix_ms);
  line::append_paint(out, style, r.status >= 400 && level == LogLevel::info ? Paint::yellow : line::paint(level));
  out += ' ';
  line::append_integer(out, r.status);
  line::append_paint(out, style, Paint::off);
  word(r.method);
  word(r.door.empty() ? "(no door)" : r.door);
  line::append_paint(out, style, Paint::bold);
  word(r.model);
  line::append_paint(out, style, Paint::off);
  if (const Attempt* one = r.telling()) {
    out += " -> ";
    line::append_plain(out, one->backend, short_text);
    if (!one->model.empty() && one->model != r.model) {
      out += '/';
      line::append_plain(out, one->model, short_text);
    }
    if (r.attempts.size() > 1) {
      out += " after ";
      line::append_integer(out, static_cast<std::int64_t>(r.attempts.size()));
      out += " attempts";
    }
  }
  out += ' ';
  line::append_ms(out, r.total_us);
  out += " ms (";
  if (r.first_token_us >= 0) {
    out += "first ";
    line::append_ms(out, r.first_token_us);
    out += ", ";
  }
  out += "own ";
  line::append_integer(out, r.own_us);
  out += " us)";
  if (r.usage.known()) {
    out += ' ';
    line::append_integer(out, r.usage.total_input());
    out += '+';
    line::append_integer(out, r.usage.total_output());
    out += " tokens";
  }
  line::append_paint(out, style, Paint::grey);
  word(r.caller);
  word(r.id);
  if (!r.mirror_of.empty()) {
    out += " mirror of";
    word(r.mirror_of);
  }
  line::append_paint(out, style, Paint::off);
  if (!r.notes.empty()) {
    line::append_paint(out, style, Paint::blue);
    word(header_value(r.notes));
    line::append_paint(out, style, Paint::off);
  }
  if (r.fault) {
    line::append_paint(out, style, line::paint(std::max(level, LogLevel::warning)));
    word(fault_row(*r.fault).name);
    out += ':';
    line::append_paint(out, style, Paint::off);
    word(r.error);
    if (!r.detail.empty()) {
      out += " [";
      line::append_plain(out, r.detail, long_text);
      out += ']';
    }
  }
  out += '\n';
}

void AccessLog::take(const Record& record) {
  if (!log_.exchanges()) return;
  const LogLevel level = level_of(record);
  if (!log_.says(level)) return;
  thread_local std::string line;
  line.clear();
  const LogStyle style = log_.style();
  if (style == LogStyle::json) {
    append_exchange_json(line, record, level);
  } else {
    append_exchange_text(line, record, level, style);
  }
  log_.writer().append(line);
}

}  // namespace sluice
