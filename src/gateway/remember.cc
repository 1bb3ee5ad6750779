// SPDX-License-Identifier: MIT
#include "gateway/remember.h"

#include <algorithm>

#include "dialects/pointer.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

void sign(std::optional<Seal>& seal, std::string_view backend) {
  if (seal && seal->issuer.empty()) seal->issuer = backend;
}

bool foreign(const std::optional<Seal>& seal, std::string_view backend, DialectId spoken) {
  return seal && seal->dialect == spoken && !seal->issuer.empty() && seal->issuer != backend;
}

TurnMemory::Time now(const Exchange& ex) {
  return TurnMemory::Time{std::chrono::nanoseconds(ex.worker.loop().now_ns())};
}

void keep(Exchange& ex, KeptTurn turn) {
  const ServerSettings& settings = ex.settings();
  const TurnMemory::Bounds bounds{.bytes = static_cast<std::size_t>(settings.turn_memory),
                                  .age = settings.turn_memory_age};
  ex.worker.shared().turns.keep(ex.tenant, std::move(turn), bounds, now(ex));
}

}  // namespace

void sign(Reply& reply, std::string_view backend) {
  for (Choice& choice : reply.choices) {
    for (Part& part : choice.parts) sign(part.seal, backend);
  }
}

void sign(std::vector<Event>& events, std::string_view backend) {
  for (Event& event : events) {
    if (auto* start = std::get_if<BlockStart>(&event)) {
      sign(start->part.seal, backend);
    } else if (auto* stop = std::get_if<BlockStop>(&event)) {
      sign(stop->seal, backend);
    }
  }
}

void remember(Exchange& ex, const Reply& reply) {
  if (ex.settings().turn_memory == 0 || ex.mirror) return;
  for (const Choice& choice : reply.choices) {
    const auto speaks = [](const Part& part) { return part.seal || part.as<Reasoning>(); };
    if (std::ranges::any_of(choice.parts, speaks)) keep(ex, kept_turn(choice.parts, ex.record.id, choice.index));
  }
}

void remember(Exchange& ex, const TurnRecorder& recorder) {
  if (ex.settings().turn_memory == 0 || ex.mirror) return;
  for (const KeptTurn& turn : recorder.turns()) {
    if (turn.worth_keeping()) keep(ex, turn);
  }
}

void recall(Exchange& ex, ChatRequest& request) {
  TurnMemory& memory = ex.worker.shared().turns;
  if (memory.empty()) return;
  for (Turn& turn : request.turns) {
    const std::string key = recall_key(turn);
    if (key.empty()) continue;
    if (const auto kept = memory.find(ex.tenant, key, now(ex))) restore(turn, *kept);
  }
}

std::string_view issuer(const ChatRequest& request) {
  for (auto turn = request.turns.rbegin(); turn != request.turns.rend(); ++turn) {
    for (const Part& part : turn->parts) {
      if (part.seal && !part.seal->issuer.empty()) return part.seal->issuer;
    }
  }
  return {};
}

bool holds_foreign_proofs(const ChatRequest& request, std::string_view backend, DialectId spoken) {
  return std::ranges::any_of(request.turns, [&](const Turn& turn) {
    return std::ranges::any_of(turn.parts, [&](const Part& part) { return foreign(part.seal, backend, spoken); });
  });
}

void drop_foreign_proofs(ChatRequest& request, std::string_view backend, DialectId spoken, Notes& notes) {
  for (std::size_t t = 0; t < request.turns.size(); ++t) {
    Turn& turn = request.turns[t];
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      Part& part = turn.parts[i];
      if (!foreign(part.seal, backend, spoken)) continue;
      notes.lost(pointer_to_seal(request, t, i), "a proof goes only to the backend that gave it");
      part.seal.reset();
    }
    std::erase_if(turn.parts, [](const Part& part) {
      const auto* thought = part.as<Reasoning>();
      return thought && !part.seal && (thought->redacted || thought->text.empty());
    });
  }
}

}  // namespace sluice
