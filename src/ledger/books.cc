// SPDX-License-Identifier: MIT
#include "ledger/books.h"

#include <algorithm>

namespace sluice {
namespace {

LedgerRow begin(const Asker& asker) {
  LedgerRow row;
  row.id = asker.id;
  row.mirror_of = asker.mirror_of;
  row.unix_ms = asker.unix_ms;
  row.key = asker.key;
  row.groups = asker.groups;
  row.tags = asker.tags;
  row.asked = asker.asked;
  row.dialect = asker.dialect;
  row.operation = asker.operation;
  row.stream = asker.stream;
  row.mirror = !asker.mirror_of.empty();
  return row;
}

void call(LedgerRow& row, const Callee& callee) {
  row.attempt = callee.attempt;
  row.backend = callee.backend;
  row.model = callee.model;
  row.price = callee.price;
  row.lane = callee.lane;
  row.hedge = callee.hedge;
}

std::string fault_name(const std::optional<Fault>& fault) {
  return fault ? std::string(fault_row(*fault).name) : std::string();
}

// The exchange's own row, as far as it follows from the call that answered or came last.
void like(LedgerRow& exchange, const LedgerRow& call) {
  exchange.backend = call.backend;
  exchange.model = call.model;
  exchange.lane = call.lane;
}

}  // namespace

const Price* Pricer::find(const std::string& text) {
  if (const auto found = known_.find(text); found != known_.end()) return &found->second;
  auto price = read_price(text);
  if (!price) return nullptr;
  if (known_.size() > 4096) known_.clear();  // prices change; those of long ago are not asked for again
  return &known_.emplace(text, *std::move(price)).first->second;
}

void Pricer::price(LedgerRow& row) {
  row.formula_version = formula_version;
  row.nano_dollars = 0;
  row.unknown = 0;
  const Buckets used = row.exact.or_else(row.estimated);
  // It is known that nothing was used. What nobody has told is not nothing.
  if (used.get(Bucket::input) == 0 && used.get(Bucket::output) == 0 &&
      std::ranges::all_of(used.raw(), [](std::int64_t count) { return count <= 0; }))
    return;
  static const Price none;
  const Price* price = find(row.price);
  const Cost told = cost(price ? *price : none, used.usage(), used.units(), lane_of(row.lane));
  row.nano_dollars = told.nano_dollars;
  row.unknown = told.unknown;
}

bool Books::take(std::string_view bytes, std::uint64_t segment, std::vector<LedgerRow>& rows) {
  bool lost = false;
  const auto entry = read_entry(bytes, &lost);
  if (!entry) return false;
  if (const auto* intent = std::get_if<Intent>(&*entry)) {
    take(*intent, segment);
  } else if (const auto* checkpoint = std::get_if<Checkpoint>(&*entry)) {
    take(*checkpoint, segment);
  } else {
    take(std::get<Settled>(*entry), rows);
  }
  return !lost;
}

void Books::take(const Intent& intent, std::uint64_t segment) {
  Call one{.input = intent.input, .segment = segment, .row = begin(intent.asker)};
  call(one.row, intent.callee);
  one.row.state = RowState::crashed;
  open_[one.row.id].calls.push_back(std::move(one));
  ++by_segment_[segment];
}

void Books::take(const Checkpoint& checkpoint, std::uint64_t segment) {
  const auto found = open_.find(std::string(checkpoint.id));
  if (found == open_.end()) return;
  for (Call& one : found->second.calls) {
    if (one.row.attempt != checkpoint.attempt) continue;
    if (one.told != 0) let_go(one.told);
    one.told = segment;
    ++by_segment_[segment];
    one.row.exact = checkpoint.exact;
    one.row.estimated = checkpoint.estimated;
    one.row.took_ms = checkpoint.took_ms;
    if (!checkpoint.outcome) continue;
    one.over = true;
    one.row.state = *checkpoint.outcome;
    one.row.status = checkpoint.status;
    one.row.fault = fault_name(checkpoint.fault);
  }
}

void Books::take(const Settled& settled, std::vector<LedgerRow>& rows) {
  const Settlement& told = settled.settlement;
  const auto open = open_.find(std::string(told.asker.id));
  LedgerRow exchange = begin(told.asker);
  bool answered = open != open_.end() && open->second.answered;
  if (open != open_.end()) like(exchange, open->second.row);
  exchange.served = told.served;
  exchange.state = told.state;
  exchange.coalesced = told.coalesced;
  exchange.status = told.status;
  exchange.fault = fault_name(told.fault);
  exchange.took_ms = told.took_ms;
  exchange.first_token_ms = told.first_token_ms;
  exchange.bytes_in = told.bytes_in;
  exchange.bytes_out = told.bytes_out;
  for (const CallLine& line : settled.calls) {
    LedgerRow row = begin(told.asker);
    call(row, line.callee);
    row.served = told.served;
    row.state = line.state;
    row.status = line.status;
    row.fault = fault_name(line.fault);
    row.took_ms = line.took_ms;
    row.first_token_ms = line.first_token_ms;
    row.exact = line.exact;
    row.estimated = line.estimated;
    pricer_.price(row);
    // The one that answered is the one that the client knows of.
    const bool answers = line.state == RowState::complete || line.state == RowState::partial;
    if (answers || !answered) like(exchange, row);
    answered = answered || answers;
    rows.push_back(std::move(row));
  }
  if (told.more) {
    if (open == open_.end()) return;
    open->second.row = std::move(exchange);
    open->second.answered = answered;
    return;
  }
  rows.push_back(std::move(exchange));
  if (open == open_.end()) return;
  for (const Call& one : open->second.calls) {
    let_go(one.segment);
    if (one.told != 0) let_go(one.told);
  }
  open_.erase(open);
}

void Books::let_go(std::uint64_t segment) {
  const auto at = by_segment_.find(segment);
  if (at != by_segment_.end() && --at->second == 0) by_segment_.erase(at);
}

void Books::close_crashed(std::vector<LedgerRow>& rows) {
  for (auto& [id, exchange] : open_) {
    LedgerRow whole = exchange.calls.front().row;
    whole.attempt = 0;
    whole.state = RowState::crashed;
    whole.hedge = false;
    whole.exact = whole.estimated = Buckets();
    whole.price.clear();
    whole.fault.clear();
    whole.status = 0;
    for (Call& one : exchange.calls) {
      whole.took_ms = std::max(whole.took_ms, one.row.took_ms);
      // Nobody has told what it was asked: that much was sent, as far as is known.
      if (!one.over && one.row.exact.total_input() == 0 && one.input > 0)
        one.row.estimated.set(Bucket::input, one.input);
      pricer_.price(one.row);
      like(whole, one.row);
      rows.push_back(std::move(one.row));
    }
    rows.push_back(std::move(whole));
  }
  open_.clear();
  by_segment_.clear();
}

}  // namespace sluice
