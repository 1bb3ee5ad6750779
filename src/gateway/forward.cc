// SPDX-License-Identifier: MIT
#include "gateway/forward.h"

#include <algorithm>

#include "base/text.h"
#include "gateway/allowed.h"
#include "gateway/choose.h"
#include "gateway/coalesce.h"
#include "gateway/departure.h"
#include "gateway/embed.h"
#include "gateway/errand.h"
#include "gateway/errand_write.h"
#include "gateway/failover.h"
#include "gateway/line_up.h"
#include "gateway/metering.h"
#include "gateway/object_ids.h"
#include "gateway/output_limit.h"
#include "gateway/raw_call.h"
#include "gateway/respond.h"
#include "gateway/stages.h"
#include "gateway/tally.h"
#include "gateway/used.h"
#include "gateway/verdict.h"
#include "gateway/worker.h"
#include "model/fold.h"

namespace sluice {
namespace {

constexpr std::size_t most_error = 1024 * 1024;

// An answer whose head has come, good enough to be passed on; or the body of one that had to be written.
struct Passing {
  std::unique_ptr<Flight> flight;  // null when it was written
  Flight::Head head;
  std::string body;
};

// The backend for what names no model, and for a raw call. A look-alike under a vendor's type comes after the vendor.
const Backend* first_backend(const Exchange& ex, const VendorOperation& operation) {
  const Backend* look_alike = nullptr;
  for (const auto& backend : ex.snapshot->backends()) {
    if (!backend->off.empty() || !takes(*backend, operation) || !allows(ex.key, *backend)) continue;
    if (operation.provider.empty() || backend->flavour != "compatible") return backend.get();
    if (!look_alike) look_alike = backend.get();
  }
  return look_alike;
}

// What passes untouched is not read: it has no tools and no pictures that routes could ask for.
class ErrandFeatures final : public Features {
 public:
  ErrandFeatures(const Exchange& ex, const Errand& errand) : ex_(ex), errand_(errand) {}
  [[nodiscard]] std::string_view header(std::string_view name) override {
    const auto found = std::ranges::find(errand_.routed, name, &Header::first);
    return found == errand_.routed.end() ? std::string_view() : found->second;
  }
  [[nodiscard]] bool tools() override { return false; }
  [[nodiscard]] bool vision() override { return false; }
  [[nodiscard]] std::int64_t tokens() override { return static_cast<std::int64_t>(ex_.record.bytes_in / 4); }
  [[nodiscard]] std::int64_t answer() override { return 0; }
  [[nodiscard]] std::uint64_t beginning() override { return 0; }

 private:
  const Exchange& ex_;
  const Errand& errand_;
};

// Every model that it names, where no plan is made for one. Of a raw batch they stand in files.
Result<void> check_models(const Key& key, const Errand& errand) {
  const bool batch = !errand.operation().provider.empty() && lower(errand.entry.rest).contains("batch");
  for (const std::string& model : errand.models) TRY_VOID(check_model(key, errand.operation(), errand.method, model));
  if (batch || errand.models.empty() || !errand.model.empty()) {
    const std::string_view model = batch ? std::string_view() : std::string_view(errand.model);
    TRY_VOID(check_model(key, errand.operation(), errand.method, model));
  }
  return {};
}

Result<Plan> choose_errand(Exchange& ex, const Errand& errand) {
  const VendorOperation& operation = errand.operation();
  const bool raw = !operation.provider.empty();
  ex.record.model = visible_ascii(errand.model, 256);
  TRY(const Backend* own, issuer(ex, errand));
  const bool chosen = !own && !raw && operation.model != ModelPlace::none && !errand.model.empty();
  if (ex.key && !chosen) TRY_VOID(check_models(*ex.key, errand));
  if (!raw && ex.key && ex.key->limits_models) TRY_VOID(check_inside(*ex.key, errand.members));
  if (own) {
    if (!allows(ex.key, *own)) return fail(no_such_backend(*ex.key, errand.model));
    return Plan{{Target{own, {}}}};
  }
  if (chosen) {
    ErrandFeatures features(ex, errand);
    TRY(auto targets, find_targets(ex, errand.model, ex.record.stream, features));
    std::erase_if(targets, [&](const Target& target) {
      return !takes(*target.backend, operation) && !embeds(*target.backend, operation);
    });
    if (!targets.empty()) return Plan{std::move(targets)};
    Error error{.fault = Fault::unsupported, .param = "model"};
    error.message = "No backend that serves \"" + visible_ascii(errand.model, 128) + "\" takes this call (" +
                    std::string(operation.name) + ") in the words of " + std::string(ex.dialect->name()) + ".";
    return fail(std::move(error));
  }
  const Backend* backend = first_backend(ex, operation);
  if (!backend && ex.key && ex.key->limits_backends) return fail(no_such_backend(*ex.key, errand.model));
  if (!backend) {
    const std::string_view who = raw ? operation.provider : name(operation.dialect);
    return fail(Fault::not_found, "No backend here " + std::string(raw ? "is of the type " : "speaks ") +
                                      std::string(who) + ", so that nobody can take this call.");
  }
  // A list of models is never widened, not even by a raw call, which names them as the upstream does.
  for (const std::string& model : errand.models) {
    if (backend->serves_upstream(model) || backend->serves_upstream(bare_model(model))) continue;
    Error error{.fault = Fault::not_found, .code = "model_not_found", .param = "model"};
    error.message =
        "The backend \"" + backend->name + "\" does not serve the model \"" + visible_ascii(model, 128) + "\" here.";
    return fail(std::move(error));
  }
  return Plan{{Target{backend, errand.model}}};
}

// The upstream's own words, read whole and decoded: an error is small.
Task<Result<std::string>> read_error_body(Flight& flight, const Flight::Head& head) {
  CO_TRY(std::string body, co_await flight.take_all(nullptr, most_error));
  const auto known = coding(head.coding);
  if (!known) co_return fail(Fault::upstream_broken, "The upstream answered in an unknown coding.");
  if (*known == Coding::identity) co_return body;
  Decoder decoder(*known, {.bytes = most_error});
  std::string plain;
  CO_TRY_VOID(decoder.feed(body, plain));
  co_return plain;
}

// Takes a field out of head lines.
void drop_field(std::string& lines, std::string_view name) {
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find("\r\n", at), lines.size() - 2) + 2;
    const std::string_view line = std::string_view(lines).substr(at, end - at);
    if (iequals(line.substr(0, line.find(':')), name)) {
      lines.erase(at, end - at);
    } else {
      at = end;
    }
  }
}

Task<Result<Passing>> attempt(Exchange& ex, const Errand& errand, const Target& target, Permit permit, Rest& rest) {
  Passing out{.flight = std::make_unique<Flight>(ex, target, true, std::move(permit), errand.own_address)};
  Flight& flight = *out.flight;
  ex.relayed_fields.clear();  // they told of a target before
  flight.attempt().verbatim = true;
  ex.record.served = target.model;
  ex.record.notes.clear();  // of a target before that needed other words
  auto written = write_errand(errand, target, flight.line(), ex.unix_seconds());
  if (!written) {
    flight.failed(written.error());
    co_return std::unexpected(std::move(written).error());
  }
  rest.to(*target.backend, written->model_added);
  auto head = co_await flight.upload(written->head, written->body, rest);
  if (!head) {
    flight.failed(head.error());
    co_return std::unexpected(std::move(head).error());
  }
  flight.first_token();
  ex.relayed_fields = std::move(head->relayed);
  out.head = *std::move(head);
  if (out.head.status >= 200 && out.head.status < 400) co_return std::move(out);
  drop_field(ex.relayed_fields, "content-encoding");
  auto body = co_await read_error_body(flight, out.head);
  if (!body) {
    flight.failed(body.error());
    co_return std::unexpected(std::move(body).error());
  }
  Error error = read_refusal(*ex.dialect, out.head, *std::move(body), target.backend->key, true);
  flight.refused(error);
  co_return fail(std::move(error));
}

// One target after the other, as long as the client's body can be sent again.
Task<Result<Passing>> send(Exchange& ex, Errand& errand, const Plan& plan) {
  Rest rest(ex, errand);
  Result<Passing> out = fail(Fault::internal, "No target was tried.");
  Course course = course_over(ex, plan.targets);
  if (ex.settings().max_concurrent > 0) CO_TRY_VOID(co_await take_place(ex, ex.sleeper(), plan.targets, nullptr));
  net::Loop& loop = ex.worker.loop();
  bool called = false;
  while (auto step = course.next(loop.now_ms(), ex.worker.dice())) {
    if (step->crowded || step->at_ms > loop.now_ms()) {
      CO_TRY(const bool ready, co_await until_ready(ex, ex.sleeper(), plan.targets, course, *step, nullptr));
      if (!ready) continue;
    }
    if (!course.begin(*step, loop.now_ms())) continue;
    called = true;
    const Target& target = plan.targets[step->place];
    if (takes(*target.backend, errand.operation())) {
      out = co_await attempt(ex, errand, target, std::move(step->permit), rest);
    } else if (auto body = co_await embed(ex, errand, target, std::move(step->permit)); body) {
      out = Passing{.body = *std::move(body)};
    } else {
      out = std::unexpected(std::move(body).error());
    }
    if (out) co_return out;
    course.failed(step->place, *out.error(), loop.now_ms());
    const Fault fault = out.error()->fault;
    if (fault == Fault::client_gone || ex.left() || !fault_row(fault).another_target_helps || rest.begun())
      co_return out;
  }
  if (!called) co_return fail(course.resting(loop.now_ms()));
  say_when(*out.error(), course, ex);
  co_return out;
}

// What the answer has told on its way of what it costs.
void note_usage(Exchange& ex, const Flight::Head& head, const Tally& tally) {
  if (auto usage = tally.usage()) {
    merge(ex.record.usage, *usage);
  } else if (head.input_tokens || head.output_tokens) {
    merge(ex.record.usage, Usage{.input = head.input_tokens, .output = head.output_tokens, .origin = ex.dialect->id()});
  }
  ex.record.units = tally.units();
}

// And of all else.
void note_answer(Exchange& ex, const Errand& errand, const Backend& backend, const Flight::Head& head,
                 const Tally& tally) {
  note_usage(ex, head, tally);
  if (std::string model = tally.model(); !model.empty()) ex.record.served = std::move(model);
  learn_ids(ex, errand, backend, tally);
}

// Hands the answer on as it comes. A slow client slows the reading of its own upstream.
Task<Result<bool>> hand_on(Exchange& ex, const Errand& errand, Passing& answer) {
  if (!answer.flight) {
    ex.bill.settle(ex, nullptr, answer.body.size());
    if (ex.bill.must_wait(ex)) (void)co_await Bill::written(ex);
    co_return co_await send_whole(ex, {}, answer.body);
  }
  Flight& flight = *answer.flight;
  const Flight::Head& head = answer.head;
  const Backend& backend = *flight.target().backend;
  const VendorOperation& operation = errand.operation();
  Tally tally(operation.dialect, operation.name, head.content_type, head.coding);
  learn_upload(ex, backend);
  if (!ex.client.request_read()) ex.keep_alive = false;
  const ReplyHead reply{.status = head.status, .content_type = head.content_type, .passed = true};
  net::Sent put = put_head(ex, reply, head.length);
  std::uint64_t passed = 0;
  bool noted = false;
  for (bool over = false; !over;) {
    if (put != net::Sent::all) {
      auto sent = co_await taken(ex, put);
      if (!sent && !reads_on(ex, backend)) {
        note_usage(ex, head, tally);
        flight.failed(sent.error());
        co_return sent;
      }
    }
    std::string_view piece;
    auto got = flight.take(piece);
    if (got && *got == Flight::Got::wait) {
      put = net::Sent::all;
      auto waited = co_await flight.wait(nullptr);
      if (waited) continue;
      got = std::unexpected(std::move(waited).error());
    }
    if (!got) {
      // No end of the body follows, so that half an answer cannot be taken for a whole one.
      note_usage(ex, head, tally);
      flight.failed(got.error());
      co_return std::unexpected(std::move(got).error());
    }
    over = *got == Flight::Got::end;
    if (!over) tally.feed(piece);
    passed += piece.size();
    // Before the client has all of it: what it names may be asked for at once, by another connection.
    if (!noted && (over || passed == head.length)) {
      note_answer(ex, errand, backend, head, tally);
      noted = true;
      ex.bill.settle(ex, nullptr, piece.size());
      if (ex.bill.must_wait(ex)) {
        const std::string last(piece);  // a view lives until the next sleep
        (void)co_await Bill::written(ex);
        put = put_stream(ex, {}, last, over);
        continue;
      }
    }
    put = put_stream(ex, {}, piece, over);
  }
  flight.land();
  co_return co_await taken(ex, put);
}

// Of what passes untouched nothing is written: a call of a vendor's own must say itself how much it asks for.
Result<void> meter(Exchange& ex, const Errand& errand, Plan& plan) {
  if (!ex.key) return {};
  if (ex.key->max_output_tokens > 0) {
    const OutputAsked asked = output_asked(errand.members);
    TRY_VOID(keep_output_limit(*ex.key, asked));
    const bool raw = !errand.operation().provider.empty() && may_cost(ex.record);
    if (raw && !asked.most) {
      return fail(Fault::bad_request,
                  "This key may ask for at most " + std::to_string(ex.key->max_output_tokens) +
                      " tokens of output, and a call that passes untouched must say how many it asks for.");
    }
  }
  const Metering::Ask ask{.body = errand.whole ? errand.body : errand.held, .members = errand.members};
  return Metering::admit(ex, ask, plan.targets);
}

}  // namespace

Task<Result<bool>> forward(Exchange& ex, const Entry& entry, const Caller& caller) {
  CO_TRY(auto&& errand, co_await take_errand(ex, entry));  // as much of it as tells where it must go
  CO_TRY(auto&& plan, choose_errand(ex, errand));          // by its model, by an id in it, or the first that can
  Lease lease;                                             // given back when the exchange is over
  CO_TRY(lease, admit(ex, caller));                        // rate and concurrency
  CO_TRY_VOID(meter(ex, errand, plan));                    // and money, of its key and the groups above it
  CO_TRY_VOID(Bill::open(ex, {}));                         // what it costs can be written down
  if (ex.route && ex.route->coalesce) {
    if (const auto shared = coalesce(ex, errand)) co_return co_await follow(ex, *shared);  // somebody asks it already
  }
  CO_TRY(auto&& answer, co_await send(ex, errand, plan));  // the head of an answer
  co_return co_await hand_on(ex, errand, answer);          // its body as it comes
}

}  // namespace sluice
