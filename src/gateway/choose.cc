// choose: whom to try, in order. SPDX-License-Identifier: MIT
#include "gateway/choose.h"

#include <algorithm>

#include "dialects/estimate.h"
#include "gateway/allowed.h"
#include "gateway/worker.h"
#include "policy/balance.h"

namespace sluice {
namespace {

bool has_picture(const std::vector<Part>& parts) {
  return std::ranges::any_of(parts, [](const Part& part) {
    if (const auto* media = part.as<Media>()) return media->kind == MediaKind::image;
    const auto* result = part.as<ToolResult>();
    return result && has_picture(result->parts);
  });
}

std::uint64_t add(std::uint64_t hash, std::string_view text) {
  return Dice::mix(hash ^ stable_hash(text));
}

// Instructions and the first thing that was said: every turn of a conversation brings them along.
std::uint64_t beginning_of(const ChatRequest& request) {
  std::uint64_t hash = stable_hash(request.model);
  for (const Tool& tool : request.tools) hash = add(hash, tool.name);
  for (const Turn& turn : request.turns) {
    for (const Part& part : turn.parts) {
      if (const auto* text = part.as<Text>()) hash = add(hash, text->text);
      if (const auto* media = part.as<Media>()) hash = add(hash, media->data);
    }
    if (turn.role == Role::user) break;
  }
  return std::max<std::uint64_t>(hash, 1);
}

}  // namespace

const ChatRequest* ChatFeatures::conversation() {
  if (!read_) {
    Asked asked = intake_.asked();
    if (const std::string_view inside = intake_.peek.question; !inside.empty()) asked.body = inside;
    Notes notes;
    read_ = intake_.entry.dialect->read_request(asked, notes);
  }
  return *read_ ? &**read_ : nullptr;  // what cannot be read is refused later, with the reason
}

std::string_view ChatFeatures::header(std::string_view name) {
  const auto found = std::ranges::find(intake_.headers, name, &HeaderView::first);
  return found == intake_.headers.end() ? std::string_view() : found->second;
}

bool ChatFeatures::tools() {
  const ChatRequest* request = conversation();
  return request && !request->tools.empty();
}

bool ChatFeatures::vision() {
  const ChatRequest* request = conversation();
  return request && std::ranges::any_of(request->turns, [](const Turn& turn) { return has_picture(turn.parts); });
}

std::int64_t ChatFeatures::tokens() {
  const ChatRequest* request = conversation();
  return request ? estimate_input(*request, intake_.peek.model) : 0;
}

std::int64_t ChatFeatures::answer() {
  const ChatRequest* request = conversation();
  return request && request->max_output ? std::clamp<std::int64_t>(*request->max_output, 0, usual_answer)
                                        : usual_answer;
}

std::uint64_t ChatFeatures::beginning() {
  const ChatRequest* request = conversation();
  return request ? beginning_of(*request) : 0;
}

Odds odds(Exchange& ex) {
  Worker& worker = ex.worker;
  return {.health = worker.shared().health,
          .turns = worker.shared().branch_turns,
          .dice = worker.dice(),
          .now_ms = worker.loop().now_ms(),
          .gates = &worker.shared().gates};
}

Result<std::vector<Target>> find_targets(Exchange& ex, std::string_view model, bool stream, Features& features) {
  const Sought sought{.model = model,
                      .caller = ex.record.caller,
                      .dialect = ex.dialect->name(),
                      .stream = stream,
                      .features = features};
  ex.route = find_route(ex.snapshot->routes(), sought);
  TRY(auto targets, plan(*ex.snapshot, ex.route, sought, odds(ex)));
  if (ex.key) TRY_VOID(keep_allowed(*ex.key, ex.route, model, targets));
  return targets;
}

namespace {

// Who may go on from what a vendor holds: whoever holds it, and nobody else.
Result<void> keep_holders(const HeldState& state, std::vector<Target>& targets) {
  const std::string& previous = state.asked.previous;
  if (state.backend.empty()) {
    const auto native = [](const Target& t) { return t.backend->speaks(DialectId::openai_responses); };
    if (previous.empty() || state.found || std::ranges::any_of(targets, native)) return {};
    return fail(openai_responses::no_previous(previous));
  }
  std::erase_if(targets, [&](const Target& target) { return target.backend->name != state.backend; });
  if (!targets.empty()) return {};
  const bool response = !previous.empty();
  Error error{.fault = Fault::unsupported, .param = response ? "previous_response_id" : "conversation"};
  error.message = "'" + error.param + "' is held by the backend \"" + state.backend +
                  "\", which does not serve this model here. Ask for one of its models, or send the whole "
                  "conversation in the request instead.";
  return fail(std::move(error));
}

}  // namespace

Result<Plan> choose(Exchange& ex, const Intake& intake) {
  if (ex.key && ex.key->limits_models) TRY_VOID(check_inside(*ex.key, intake.peek.members));
  ChatFeatures features(intake);
  TRY(auto targets, find_targets(ex, intake.peek.model, intake.peek.stream, features));
  if (intake.held) TRY_VOID(keep_holders(*intake.held, targets));
  return Plan{std::move(targets)};
}

}  // namespace sluice
