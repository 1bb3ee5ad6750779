// SPDX-License-Identifier: MIT
#include "gateway/held.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/text.h"
#include "dialects/openai_chat/wrong.h"
#include "gateway/errand_write.h"
#include "gateway/passage.h"
#include "gateway/respond.h"
#include "gateway/stages.h"
#include "gateway/store_call.h"

namespace sluice {
namespace {

namespace responses = openai_responses;
using Finding = ResponseStore::Finding;
using Reach = ResponseStore::Reach;
using Whose = ResponseStore::Whose;

Task<Result<Finding>> find(Exchange& ex, std::string id, Reach reach) {
  StoreCall<Finding> call(ex);
  ex.worker.shared().responses->find(ex.tenant, std::move(id), reach, call.callback());
  co_return co_await wait_for(ex, call);
}

// What is viewed outlives the call.
Task<Result<bool>> keep(Exchange& ex, HeldView held) {
  StoreCall<bool> call(ex);
  ex.worker.shared().responses->keep(held, call.callback());
  co_return co_await wait_for(ex, call);
}

Task<Result<bool>> forget(Exchange& ex, std::string id) {
  StoreCall<bool> call(ex);
  ex.worker.shared().responses->forget(ex.tenant, std::move(id), call.callback());
  co_return co_await wait_for(ex, call);
}

// Where an answer, or a conversation of a vendor's, is held. With neither a backend nor responses nobody here
// remembers, and the vendor may.
struct Holder {
  Whose whose = Whose::nobodys;
  std::string backend;
  std::vector<HeldResponse> responses;
};

Task<Result<Holder>> holder_of(Exchange& ex, std::string id, Reach reach) {
  Issuers& issuers = ex.worker.shared().issuers;
  if (!responses::is_own_id(id)) {
    if (const auto known = issuers.find(id)) {
      const bool own = known->tenant.empty() || known->tenant == ex.tenant;
      co_return Holder{.whose = own ? Whose::own : Whose::anothers, .backend = known->backend};
    }
  }
  CO_TRY(auto found, co_await find(ex, id, reach));
  Holder out{.whose = found.whose, .responses = std::move(found.responses)};
  if (out.whose != Whose::own) co_return out;
  if (out.backend = out.responses.back().backend; !out.backend.empty()) {
    issuers.learn(id, out.backend, ex.tenant);
    out.responses.clear();
  }
  co_return out;
}

void append_items(std::string& list, std::string_view items) {
  if (!list.empty() && !items.empty()) list += ',';
  list += items;
}

// All that was said up to there, by everybody.
std::string conversation(const std::vector<HeldResponse>& chain) {
  std::string out;
  for (const HeldResponse& one : chain) {
    append_items(out, responses::held_items(one.input, one.id));
    append_items(out, responses::output_items(one.object));
  }
  return out;
}

// What this response was asked with, earlier turns and all.
std::string asked_items(const std::vector<HeldResponse>& chain) {
  const std::vector<HeldResponse> before(chain.begin(), chain.end() - 1);
  std::string out = conversation(before);
  append_items(out, responses::held_items(chain.back().input, chain.back().id));
  return out;
}

// The request is another one from here on; what it said itself stays known.
Result<void> replace_body(Intake& intake, std::string body) {
  HeldState& state = *intake.held;
  const bool first = state.body.empty();
  state.body.swap(body);
  intake.body = state.body;
  TRY(auto peek, intake.entry.dialect->peek(intake.asked()));
  auto before = std::exchange(intake.peek, std::move(peek)).members;
  if (first) state.members = std::move(before);
  return {};
}

// Items that the client named and did not send: those of answers that are held here take their places.
Task<Result<bool>> fetch_items(Exchange& ex, Intake& intake) {
  std::map<std::string, std::string, std::less<>> items;
  for (const responses::Reference& named : responses::references(intake.peek.members)) {
    CO_TRY(const auto found, co_await find(ex, named.response, Reach::one));
    if (found.whose != Whose::own) continue;  // the vendor's to know, or nobody's
    if (std::string item = responses::named_item(found.responses.back().object, named.item); !item.empty())
      items.emplace(named.item, std::move(item));
  }
  if (items.empty()) co_return false;
  CO_TRY(auto body, responses::resolved(intake.body, intake.peek.members, items));
  CO_TRY_VOID(replace_body(intake, std::move(body)));
  intake.held->input = std::ranges::find(intake.peek.members, "input", &json::TopMember::key)->raw;
  co_return true;
}

// What a vendor's answer calls itself: in a whole one, or in the first event of a stream.
std::string own_id(std::string_view begin, bool stream) {
  if (stream) {
    constexpr std::string_view mark = "data:";
    const auto at = begin.find(mark);
    if (at == std::string_view::npos) return {};
    begin.remove_prefix(at + mark.size());
    json::Document doc;
    const auto event = doc.parse(trim(begin.substr(0, begin.find('\n'))));
    return event ? (*event)["response"]["id"].text() : std::string();
  }
  const auto members = json::scan_object(begin);
  if (!members) return {};
  const auto id = std::ranges::find(*members, "id", &json::TopMember::key);
  if (id == members->end() || id->kind != json::Kind::string) return {};
  return json::unescape(id->raw.substr(1, id->raw.size() - 2));
}

// The vendor holds it: its id leads back there.
void pin(Exchange& ex, std::string_view id) {
  if (id.empty() || ex.record.attempts.empty()) return;
  Shared& shared = ex.worker.shared();
  const std::string& backend = ex.record.telling()->backend;
  shared.issuers.learn(id, backend, ex.tenant);
  if (!shared.responses->lasts()) return;
  const HeldView held{.id = id, .tenant = ex.tenant, .backend = backend, .unix_ms = ex.record.unix_ms};
  shared.responses->keep(held, [](const Result<bool>&) {});
}

// Whether the backend that answered in its client's own dialect holds what it answered.
bool vendor_holds(const Exchange& ex) {
  if (ex.record.attempts.empty()) return true;
  const std::string& name = ex.record.telling()->backend;
  const auto& backends = ex.snapshot->backends();
  const auto backend = std::ranges::find_if(backends, [&](const auto& one) { return one->name == name; });
  return backend == backends.end() || (*backend)->demo() || responses::holds_answers((*backend)->provider->name);
}

// A client is told, and the operator, when its answer is not held after all.
void note_not_held(Exchange& ex, const Result<bool>& kept) {
  if (kept && *kept) return;
  if (!kept && kept.error()->fault == Fault::client_gone) return;
  ex.record.notes.push_back({NoteKind::lost, "/store", "the answer is not held: the storage failed or has no room"});
  if (!kept) ex.record.detail = kept.error()->message + ' ' + kept.error()->detail;
}

// --- GET, DELETE, POST -----------------------------------------------------------------------------------------------

struct Named {
  std::string_view id, below;  // below: "", "cancel", "input_items"
};

Named named(std::string_view rest) {
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const auto slash = std::min(rest.find('/'), rest.size());
  return {rest.substr(0, slash), rest.substr(std::min(slash + 1, rest.size()))};
}

Result<responses::Page> read_page(std::string_view query) {
  responses::Page page;
  if (const auto limit = query_value(query, "limit"); !limit.empty()) {
    const auto [end, code] = std::from_chars(limit.data(), limit.data() + limit.size(), page.limit);
    if (code != std::errc() || end != limit.data() + limit.size() || page.limit < 1 || page.limit > 100) {
      return openai_chat::invalid("limit", "Invalid 'limit': expected an integer between 1 and 100.");
    }
  }
  if (const auto order = query_value(query, "order"); !order.empty()) {
    if (order != "asc" && order != "desc") {
      return openai_chat::invalid(
          "order", "Invalid value: '" + visible_ascii(order, 64) + "'. Supported values are: 'asc' and 'desc'.");
    }
    page.oldest_first = order == "asc";
  }
  page.after = query_value(query, "after");
  return page;
}

Task<Result<bool>> send_again(Exchange& ex, std::string_view object, std::string_view query) {
  std::int64_t after = -1;
  const std::string_view from = query_value(query, "starting_after");
  const auto [end, code] = std::from_chars(from.data(), from.data() + from.size(), after);
  if (!from.empty() && (code != std::errc() || end != from.data() + from.size())) {
    co_return openai_chat::invalid("starting_after", "Invalid 'starting_after': expected an integer.");
  }
  const std::string events = responses::replay(object, after);
  co_return co_await send_stream(ex, "text/event-stream", events, true);
}

Task<Result<bool>> serve_own(Exchange& ex, const std::vector<HeldResponse>& chain, std::string_view method,
                             const Named& name, std::string_view query) {
  const bool items = name.below == "input_items";
  const bool cancels = name.below == "cancel";
  if ((!name.below.empty() && !items && !cancels) || cancels != (method == "POST")) {
    co_return fail(Fault::not_found, "There is nothing here.");
  }
  const HeldResponse& held = chain.back();
  std::string body;
  if (cancels) co_return fail(Fault::bad_request, "Cannot cancel a synchronous response.");
  if (method == "DELETE") {
    CO_TRY(const bool known, co_await forget(ex, held.id));
    if (!known) co_return fail(responses::no_response(name.id));
    body = responses::write_deleted(name.id);
  } else if (items) {
    CO_TRY(const auto page, read_page(query));
    CO_TRY(body, responses::write_page(asked_items(chain), page));
  } else if (query_value(query, "stream") == "true") {
    co_return co_await send_again(ex, held.object, query);
  } else {
    body = held.object;
  }
  co_return co_await send_whole(ex, {}, body);
}

}  // namespace

bool has_state(const Entry& entry) {
  if (entry.place == Place::vendor) return entry.vendor->dialect == DialectId::openai_responses;
  return entry.place == Place::dialect && entry.dialect->id() == DialectId::openai_responses &&
         (entry.operation == Operation::chat || entry.operation == Operation::count_tokens);
}

Task<Result<bool>> recollect(Exchange& ex, Intake& intake) {
  intake.held = std::make_unique<HeldState>();
  HeldState& state = *intake.held;
  CO_TRY(state.asked, responses::read_state(intake.peek.members));
  const bool held = state.asked.store && ex.settings().response_store > 0;
  state.id = held ? responses::held_id(ex.record.id) : responses::passing_id(ex.record.id);
  CO_TRY_VOID(co_await fetch_items(ex, intake));
  const std::string& named = state.asked.previous.empty() ? state.asked.conversation : state.asked.previous;
  if (named.empty()) co_return true;
  CO_TRY(auto holder, co_await holder_of(ex, named, Reach::chain));
  const bool lost = holder.whose == Whose::nobodys && responses::is_own_id(named);
  if (lost || holder.whose == Whose::anothers) co_return fail(responses::no_previous(named));
  state.backend = std::move(holder.backend);
  state.found = !holder.responses.empty();
  if (!state.found) co_return true;
  const std::string earlier = conversation(holder.responses);
  CO_TRY(auto body, responses::continued(intake.body, intake.peek.members, earlier));
  CO_TRY_VOID(replace_body(intake, std::move(body)));
  co_return true;
}

Task<Result<bool>> hold(Exchange& ex, const Intake& intake, Answer& answer) {
  const HeldState& state = *intake.held;
  if (!state.asked.store || intake.entry.operation != Operation::chat) co_return true;
  const bool stream = answer.pump != nullptr;
  std::string id = answer.native ? own_id(answer.held, stream) : state.id;
  if (answer.native && vendor_holds(ex)) {
    pin(ex, id);
    co_return true;
  }
  if (id.empty() || !responses::is_held_id(state.id)) co_return true;
  const auto& members = state.body.empty() ? intake.peek.members : state.members;
  const auto input = std::ranges::find(members, "input", &json::TopMember::key);
  HeldView held{.id = id, .tenant = ex.tenant, .unix_ms = ex.record.unix_ms};
  if (state.found) held.previous = state.asked.previous;
  if (!state.input.empty()) {
    held.input = state.input;
  } else if (input != members.end()) {
    held.input = input->raw;
  }
  if (stream) {
    answer.keeps = std::make_unique<HeldResponse>(copy_of(held));
    co_return true;
  }
  held.object = answer.held;
  const auto kept = co_await keep(ex, held);
  if (!kept && kept.error()->fault == Fault::client_gone) co_return kept;
  note_not_held(ex, kept);
  co_return true;
}

Task<void> hold_end(Exchange& ex, HeldResponse& held, std::string_view event) {
  const bool ours = responses::is_own_id(held.id);
  held.object = ours ? std::string(responses::last_response(event)) : responses::vendors_last_response(event);
  if (held.object.empty()) co_return;
  const auto kept = co_await keep(ex, held);
  note_not_held(ex, kept);
}

Task<Result<bool>> serve_held(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& head = ex.client.head();
  const std::string method(head.method);
  const Named name = named(entry.rest);
  if (name.id.empty()) co_return false;
  const Reach reach = name.below == "input_items" ? Reach::chain : Reach::one;
  CO_TRY(const auto holder, co_await holder_of(ex, std::string(name.id), reach));
  if (!holder.responses.empty()) co_return co_await serve_own(ex, holder.responses, method, name, entry.query);
  if (responses::is_own_id(name.id)) co_return fail(responses::no_response(name.id));
  const auto able = [&](const auto& backend) {
    return backend->off.empty() && takes(*backend, *entry.vendor) && responses::holds_answers(backend->provider->name);
  };
  const auto& backends = ex.snapshot->backends();
  if (holder.whose == Whose::anothers || std::ranges::none_of(backends, able)) {
    co_return fail(responses::no_response(name.id));
  }
  co_return false;
}

}  // namespace sluice
