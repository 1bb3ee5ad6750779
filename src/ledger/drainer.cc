// SPDX-License-Identifier: MIT
#include "ledger/drainer.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <tuple>

#include "ports/thread.h"

namespace sluice {
namespace {

constexpr std::size_t most_together = 1000;  // rows of one transaction, about
constexpr std::chrono::milliseconds turn{100}, after_failure{1'000};
constexpr std::int64_t look_every_ms = 10'000, tidy_every_ms = 3'600'000;

}  // namespace

Drainer::Drainer(Journal& journal, LedgerStore& store, Clock clock, std::int64_t retention_ms)
    : journal_(journal), store_(store), clock_(clock), retention_ms_(retention_ms) {
  thread_ = start_thread([this] { run(); });
}

Drainer::~Drainer() {
  close();
}

bool Drainer::close() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  return rows_.empty() && books_.open() == 0 && journal_.drained();
}

Drainer::State Drainer::state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

bool Drainer::refused(const Error& error) {
  const std::scoped_lock lock(mutex_);
  state_.failure = error.detail.empty() ? error.message : error.detail;
  return false;
}

bool Drainer::write(std::vector<LedgerRow>& rows) {
  if (rows.empty()) return true;
  auto written = store_.write(rows);
  if (!written) return refused(*written.error());
  const std::scoped_lock lock(mutex_);
  state_.failure.clear();
  state_.written += static_cast<std::int64_t>(*written);
  rows.clear();
  return true;
}

// Rows that were read are kept here until the store has them, and only then is a segment given up.
bool Drainer::drain() {
  if (!write(rows_)) return false;
  std::int64_t damaged = 0;
  journal_.read([&](std::string_view record, std::uint64_t segment) {
    if (rows_.size() >= most_together) return false;
    if (!books_.take(record, segment, rows_)) damaged += static_cast<std::int64_t>(record.size());
    return true;
  });
  more_ = rows_.size() >= most_together;
  if (damaged != 0) {
    const std::scoped_lock lock(mutex_);
    state_.damaged += damaged;
  }
  if (!write(rows_)) return false;
  journal_.release([this](std::uint64_t segment) { return books_.wanted(segment); });
  return true;
}

Drainer::Adopted Drainer::unreadable(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  state_.unread = why;
  return Adopted::unreadable;
}

// Everything is read before anything is deleted; what cannot be read now is asked for again, what makes no sense is put
// aside for a person to look at.
Drainer::Adopted Drainer::adopt(HeldDirectory& directory) {
  Books books;
  std::vector<LedgerRow> rows;
  std::int64_t damaged = 0, crashed = 0;
  const auto segments = directory.segments();
  if (!segments) return unreadable(segments.error()->detail);
  std::vector<std::string> bad;
  for (const std::string& path : *segments) {
    const auto bytes = read_segment(path);
    if (!bytes) return unreadable(bytes.error()->detail);
    // Its process died before anything could be written.
    if (bytes->find_first_not_of('\0') == std::string::npos) continue;
    SegmentReader reader(*bytes);
    std::size_t lost = reader.well() ? 0 : bytes->size();
    while (const auto record = reader.next()) {
      if (!books.take(*record, reader.number(), rows)) lost += record->size();
      if (rows.size() >= most_together && !write(rows)) return Adopted::refused;
    }
    if (lost != 0) bad.push_back(path);
    damaged += static_cast<std::int64_t>(lost + reader.damaged());
  }
  if (!write(rows) || !write_crashed(books, crashed)) return Adopted::refused;
  for (const std::string& path : bad) {
    std::error_code error;
    std::filesystem::rename(path, path + ".bad", error);
    if (error) return unreadable(path + ": " + error.message());
  }
  directory.remove();
  const std::scoped_lock lock(mutex_);
  state_.crashed += crashed;
  state_.damaged += damaged;
  return Adopted::all;
}

// What is open here may have been settled in a segment that was given up before.
bool Drainer::write_crashed(Books& books, std::int64_t& crashed) {
  std::vector<LedgerRow> open, rows;
  books.close_crashed(open);
  std::string id;
  bool settled = false;
  for (LedgerRow& row : open) {
    if (row.id != id) {
      id = row.id;
      const auto told = store_.settled(row.unix_ms, id);
      if (!told) return refused(*told.error());
      settled = *told;
      if (rows.size() >= most_together && !write(rows)) return false;
    }
    if (settled) continue;
    crashed += row.state == RowState::crashed ? 1 : 0;
    rows.push_back(std::move(row));
  }
  return write(rows);
}

bool Drainer::adopt_all() {
  const std::int64_t now = clock_();
  if (looked_ms_ == 0 || now - looked_ms_ >= look_every_ms || now < looked_ms_) {
    looked_ms_ = now;
    for (HeldDirectory& more : HeldDirectory::left_behind(journal_.root())) left_.push_back(std::move(more));
    std::ranges::move(unread_, std::back_inserter(left_));
    unread_.clear();
  }
  while (!left_.empty()) {
    const Adopted adopted = adopt(left_.back());
    if (adopted == Adopted::refused) return false;
    if (adopted == Adopted::unreadable) unread_.push_back(std::move(left_.back()));
    left_.pop_back();
  }
  if (unread_.empty()) {
    const std::scoped_lock lock(mutex_);
    state_.unread.clear();
  }
  return true;
}

void Drainer::tidy() {
  const std::int64_t now = clock_();
  if (retention_ms_ <= 0 || (tidied_ms_ != 0 && now - tidied_ms_ < tidy_every_ms && now >= tidied_ms_)) return;
  tidied_ms_ = now;
  std::ignore = store_.forget(now - retention_ms_, now);  // what fails is tried again the next time
}

void Drainer::run() {
  for (;;) {
    // What this process writes first: its journal has an end.
    const bool well = drain() && adopt_all();
    if (well) tidy();
    std::unique_lock lock(mutex_);
    if (closing_) break;
    if (well && more_) continue;
    wake_.wait_for(lock, well ? turn : after_failure, [this] { return closing_; });
  }
  while (drain() && more_) {
  }
}

}  // namespace sluice
