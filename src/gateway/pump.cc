// SPDX-License-Identifier: MIT
#include "gateway/pump.h"

#include <algorithm>

#include "gateway/lane.h"
#include "gateway/remember.h"
#include "model/fold.h"

namespace sluice {

Pump::Pump(Record& record, const Sides& sides)
    : record_(&record), sides_(sides), upstream_type_(sides.content_type), model_(sides.question.model), id_(sides.id) {
  sides_.content_type = upstream_type_;
  sides_.question.model = model_;
  framer_ = sides.upstream->framer(upstream_type_);
  reader_ = sides.upstream->stream_reader();
  if (sides.joins || sides.sifts) sides_.verbatim = false;
  if (sides.joins) {
    joint_ = std::make_unique<Joint>();
  }
  if (!sides_.verbatim) {
    writer();
    turns_.emplace(record.id);
  }
  const DialectId from = sides.upstream->id();
  trails_ =
      from == DialectId::openai_chat || from == DialectId::openai_completions || from == DialectId::bedrock_converse;
  sides_.question.asked = {};
}

StreamWriter& Pump::writer() {
  if (!writer_) writer_ = sides_.client->stream_writer(sides_.question);
  return *writer_;
}

Outline& Pump::outline() {
  if (!outline_) outline_ = std::make_unique<Outline>();
  return *outline_;
}

std::string_view Pump::content_type() {
  // AWS's frames may hold another dialect's events, which its framer has put into their own form.
  const bool forwarded = sides_.verbatim && !upstream_type_.starts_with("application/vnd.amazon.eventstream");
  return forwarded ? std::string_view(upstream_type_) : writer().content_type();
}

void Pump::fail_with(const Error& error) {
  if (failed_ || over_) return;
  failed_ = error;
  over_ = true;
}

std::int64_t Pump::heard() const {
  if (heard_frames_ == 0) return -1;
  // Of a forwarded frame only its size is known. The smallest holds next to nothing but what all of them have.
  const std::int64_t text = sides_.verbatim ? heard_bytes_ - heard_frames_ * (least_frame_ - 2) : heard_bytes_;
  return std::max(heard_frames_, (text + 3) / 4);
}

void Pump::feed(std::string_view bytes, std::string& out) {
  if (over_) return;
  framer_->feed(bytes);
  while (!over_) {
    auto frame = framer_->next();
    if (!frame) return fail_with(frame.error());
    if (!*frame) break;
    sides_.verbatim ? forward(**frame, out) : translate(**frame, out);
  }
}

void Pump::end(std::string& out) {
  if (over_) return;
  auto rest = framer_->end();
  if (!rest) return fail_with(rest.error());
  if (*rest) sides_.verbatim ? forward(**rest, out) : translate(**rest, out);
  if (over_) return;
  if (!sides_.verbatim) {
    events_.clear();
    reader_->end(events_);
    read_done(out);
    over_ = true;
    return;
  }
  if (!reader_->complete()) {
    return fail_with({.fault = Fault::upstream_broken,
                      .message = "The upstream's stream ended before its proper end.",
                      .detail = "end of bytes without a terminal event",
                      .code = "stream_truncated"});
  }
  over_ = true;
}

void Pump::forward(const Frame& frame, std::string& out) {
  Sight sight = reader_->observe(frame);
  if (sight.usage) {
    merge(record_->usage, *sight.usage);
    const auto lane = has_lanes(sides_.upstream->id()) ? lane_told(frame.data) : std::string_view();
    if (!lane.empty()) record_->lane = lane;
  }
  if (sight.error) {
    // Same dialect: the upstream's own words are the right ones, once the client has a stream at all.
    if (content_) {
      out += frame.raw;
      spoken_ = true;
    }
    return fail_with(*sight.error);
  }
  if (sight.only_usage && !sides_.usage_asked) return;
  if (sight.content || sight.terminal) content_ = true;
  if (trails_) {
    ended_ = ended_ || frame.data == "[DONE]" || (sight.usage && reader_->complete());
  } else if (sight.terminal) {
    ended_ = true;
  }
  if (sight.content) {
    const auto size = static_cast<std::int64_t>(frame.data.size());
    least_frame_ = heard_frames_ == 0 ? size : std::min(least_frame_, size);
    ++heard_frames_;
    heard_bytes_ += size;
  }
  if (sight.terminal && sides_.keeps_last && last_event_.empty()) last_event_ = frame.raw;
  out += frame.raw;
}

void Pump::translate(const Frame& frame, std::string& out) {
  // Some dialects end with the whole of what was said, so that a writer holds it; as large as a whole answer may be.
  constexpr std::size_t most = 64 * 1024 * 1024;
  translated_ += frame.data.size();
  if (translated_ > most) {
    return fail_with({.fault = Fault::upstream_broken,
                      .message = "The upstream's stream is too large to be said in another dialect.",
                      .detail = "over 64 MiB",
                      .code = "stream_too_large"});
  }
  events_.clear();
  reader_->read(frame, events_);
  read_done(out);
}

// What was read goes on: whose proofs it holds is written down, and what a client may drop.
void Pump::read_done(std::string& out) {
  if (sides_.undo) sides_.undo->undo(events_);
  sign(events_, sides_.backend);
  if (joint_) {
    Notes notes;
    joint_->pass(events_, notes);
    add_notes(notes);
  }
  for (Event& event : events_) {
    if (auto* begin = std::get_if<Begin>(&event); begin != nullptr && !id_.empty()) begin->reply.id = id_;
    turns_->add(event);
    outline().add(event);
    write(event, out);
  }
  if (over_) note_losses();
}

void Pump::whole(const Reply& reply, std::string& out) {
  const std::vector<Event> events = unfold(reply);
  for (const Event& event : events) outline().add(event);
  tell(events, out);
  note_losses();
}

void Pump::note_losses() {
  if (failed_) return;
  Notes notes;
  outline().note(*sides_.client, sides_.question, notes);
  add_notes(notes);
}

void Pump::add_notes(const Notes& notes) {
  record_->notes.insert(record_->notes.end(), notes.all().begin(), notes.all().end());
}

void Pump::go_on(const Sides& sides, const Usage& estimate) {
  Notes notes;
  joint_->go_on(estimate, notes);
  add_notes(notes);
  upstream_type_ = sides.content_type;
  sides_.upstream = sides.upstream;
  sides_.undo = sides.undo;
  sides_.backend = sides.backend;
  framer_ = sides.upstream->framer(upstream_type_);
  reader_ = sides.upstream->stream_reader();
  failed_.reset();
  content_ = over_ = ended_ = false;
  heard_frames_ = heard_bytes_ = 0;
}

void Pump::rest(const Reply& reply, std::string& out) {
  events_ = unfold(reply);
  read_done(out);
}

void Pump::tell(const std::vector<Event>& events, std::string& out) {
  for (const Event& event : events) write(event, out);
  over_ = true;
}

namespace {

// A block that opens, and in which nothing was said yet.
bool is_empty_beginning(const Event& event) {
  if (std::holds_alternative<BlockStop>(event) || std::holds_alternative<OpaqueEvent>(event)) return true;
  const auto* start = std::get_if<BlockStart>(&event);
  return start != nullptr && (start->part.as<Text>() != nullptr || start->part.as<Reasoning>() != nullptr);
}

}  // namespace

void Pump::sift(const Event& event) {
  if (const auto* start = std::get_if<BlockStart>(&event)) {
    if (start->part.as<Refusal>() != nullptr) stopped_ = "refusal";
  } else if (const auto* finish = std::get_if<Finish>(&event)) {
    const StopKind kind = finish->stop.kind;
    if (kind == StopKind::content_filter || kind == StopKind::refusal) stopped_ = finish->stop.raw;
  }
}

void Pump::write(const Event& event, std::string& out) {
  if (const auto* failed = std::get_if<Failed>(&event)) return fail_with(failed->error);
  if (sides_.sifts && !content_) sift(event);
  if (const auto* begin = std::get_if<Begin>(&event)) {
    if (!begin->reply.model.empty()) record_->served = begin->reply.model;
    if (begin->reply.service_tier) record_->lane = *begin->reply.service_tier;
    if (begin->reply.usage.known()) merge(record_->usage, begin->reply.usage);
  } else if (const auto* usage = std::get_if<UsageSeen>(&event)) {
    merge(record_->usage, usage->usage);
  } else if (const auto* finish = std::get_if<Finish>(&event)) {
    record_->finish = finish->stop.raw;
    content_ = true;
  } else if (!std::holds_alternative<Ping>(event) && !(sides_.sifts && is_empty_beginning(event))) {
    content_ = true;
  }
  if (const auto* delta = std::get_if<Delta>(&event); delta != nullptr && !delta->text.empty()) {
    ++heard_frames_;
    heard_bytes_ += static_cast<std::int64_t>(delta->text.size());
  }
  const std::size_t before = out.size();
  writer().write(event, out);
  if (!std::holds_alternative<End>(event)) return;
  if (!id_.empty() || sides_.keeps_last) last_event_.assign(out, before);
  over_ = true;
}

void Pump::speak(const Error& error, std::string& out) {
  if (spoken_) return;
  spoken_ = true;
  writer().write(Failed{error}, out);
}

}  // namespace sluice
