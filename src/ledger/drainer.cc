// SPDX-License-Identifier: MIT
#include "ledger/drainer.h"

#include <algorithm>
#include <chrono>

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

bool Drainer::write(std::vector<LedgerRow>& rows) {
  if (rows.empty()) return true;
  auto written = store_.write(rows);
  const std::scoped_lock lock(mutex_);
  if (!written) {
    state_.failure = written.error()->detail.empty() ? written.error()->message : written.error()->detail;
    return false;
  }
  state_.failure.clear();
  state_.written += static_cast<std::int64_t>(*written);
  rows.clear();
  return true;
}

// Rows that were read are kept here until the store has them, and only then is a segment given up.
bool Drainer::drain() {
  for (;;) {
    if (!write(rows_)) return false;
    const std::size_t taken = journal_.read([this](std::string_view record, std::uint64_t segment) {
      if (rows_.size() >= most_together) return false;
      books_.take(record, segment, rows_);
      return true;
    });
    if (!write(rows_)) return false;
    journal_.release([this](std::uint64_t segment) { return books_.wanted(segment); });
    if (taken == 0) return true;
  }
}

bool Drainer::adopt(HeldDirectory& directory) {
  Books books;
  std::vector<LedgerRow> rows;
  std::int64_t damaged = 0;
  for (const std::string& path : directory.segments()) {
    const MappedFile file(path);
    SegmentReader reader(file.bytes());
    while (const auto record = reader.next()) {
      books.take(*record, reader.number(), rows);
      if (rows.size() >= most_together && !write(rows)) return false;
    }
    damaged += static_cast<std::int64_t>(reader.damaged());
  }
  if (!write(rows)) return false;
  books.close_crashed(rows);
  const auto crashed = std::ranges::count(rows, RowState::crashed, &LedgerRow::state);
  while (!rows.empty()) {
    std::vector<LedgerRow> some(
        std::make_move_iterator(rows.end() - static_cast<std::ptrdiff_t>(std::min(rows.size(), most_together))),
        std::make_move_iterator(rows.end()));
    rows.resize(rows.size() - some.size());
    if (!write(some)) return false;
  }
  directory.remove();
  const std::scoped_lock lock(mutex_);
  state_.crashed += crashed;
  state_.damaged += damaged;
  return true;
}

bool Drainer::adopt_all() {
  const std::int64_t now = clock_();
  if (left_.empty() && (looked_ms_ == 0 || now - looked_ms_ >= look_every_ms || now < looked_ms_)) {
    looked_ms_ = now;
    left_ = HeldDirectory::left_behind(journal_.root());
  }
  while (!left_.empty()) {
    if (!adopt(left_.back())) return false;
    left_.pop_back();
  }
  return true;
}

void Drainer::tidy() {
  const std::int64_t now = clock_();
  const std::int64_t retention = retention_ms_;
  if (retention <= 0 || (tidied_ms_ != 0 && now - tidied_ms_ < tidy_every_ms && now >= tidied_ms_)) return;
  if (store_.forget(now - retention, now)) tidied_ms_ = now;
}

void Drainer::run() {
  for (;;) {
    const bool well = adopt_all() && drain();
    if (well) tidy();
    std::unique_lock lock(mutex_);
    if (closing_) break;
    wake_.wait_for(lock, well ? turn : after_failure, [this] { return closing_; });
  }
  drain();
}

}  // namespace sluice
