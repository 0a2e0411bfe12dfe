"""What a call to action says in each language, as the phrases a checklist can look for (RULES §7).

Each list names a few fair ways to say it; one of them is enough. Compare after ``plain``.
"""

import re
import unicodedata

TEXT_MESSAGE: dict[str, tuple[str, ...]] = {
    "en": ("sms", "text message", "text messages"),
    "it": ("sms", "messaggio di testo", "messaggi di testo"),
    "de": ("sms", "textnachricht", "textnachrichten"),
    "pt": ("sms", "mensagem de texto", "mensagens de texto"),
    "es": ("sms", "mensaje de texto", "mensajes de texto"),
    "gl": ("sms", "mensaxe de texto", "mensaxes de texto"),
    "fr": ("sms", "message texte", "messages texte", "texto", "textos"),
}

# The replies that end the messages or lead to help (RULES §6), in capitals, as a reader recognises a keyword.
STOP = ("STOP",)
HELP: dict[str, tuple[str, ...]] = {
    "en": ("HELP", "INFO"),
    "it": ("HELP", "AIUTO"),
    "de": ("HELP", "HILFE"),
    "pt": ("HELP", "AJUDA"),
    "es": ("HELP", "AYUDA"),
    "gl": ("HELP", "AXUDA"),
    "fr": ("HELP", "AIDE"),
}

NO_CONDITION: dict[str, tuple[str, ...]] = {
    "en": ("not a condition", "not required", "no condition"),
    "it": ("non è una condizione", "non è condizione", "non costituisce una condizione", "nessuna condizione"),
    "de": ("keine bedingung", "keine voraussetzung", "nicht bedingung", "nicht voraussetzung"),
    "pt": ("não é condição", "não é uma condição", "não constitui condição", "nenhuma condição"),
    "es": ("no es condición", "no es una condición", "no constituye una condición", "ninguna condición"),
    "gl": ("non é condición", "non é unha condición", "non constitúe unha condición", "ningunha condición"),
    "fr": ("pas une condition", "pas condition", "n'est en rien une condition", "aucune condition"),
}

# Charges are the person's in the United States; notices in English are the ones read there.
RATES: dict[str, tuple[str, ...]] = {
    "en": (
        "msg & data rates may apply",
        "msg and data rates may apply",
        "message & data rates may apply",
        "message and data rates may apply",
    ),
}

# Beginnings of words that say what the messages are about, by language and kind of purpose.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "marketing": ("offer", "promotion", "discount", "deal", "news", "sale"),
        "recruitment": ("job", "vacanc", "position", "career", "work", "employ"),
        "informational": ("remind", "appointment", "interview", "order", "deliver", "update", "notif"),
        "conversational": ("answer", "repl", "question", "conversation"),
    },
    "it": {
        "marketing": ("offert", "promozion", "scont", "novità", "sald"),
        "recruitment": ("lavor", "impieg", "posizion", "candidat", "carrier"),
        "informational": ("promemoria", "appuntament", "colloqu", "ordin", "consegn", "aggiornament", "avvis"),
        "conversational": ("rispost", "domand", "conversazion"),
    },
    "de": {
        "marketing": ("angebot", "aktion", "rabatt", "neuigkeit", "werb"),
        "recruitment": ("job", "stelle", "arbeit", "karriere", "bewerb"),
        "informational": ("erinner", "termin", "gespräch", "vorstellung", "bestell", "liefer", "hinweis", "update"),
        "conversational": ("antwort", "frage", "gespräch"),
    },
    "pt": {
        "marketing": ("ofert", "promoç", "descont", "novidad", "sald"),
        "recruitment": ("emprego", "trabalh", "vaga", "carreira", "candidat"),
        "informational": ("lembret", "marcaç", "entrevist", "encomend", "pedido", "entreg", "atualizaç", "avis"),
        "conversational": ("respost", "pergunt", "convers"),
    },
    "es": {
        "marketing": ("ofert", "promoci", "descuent", "novedad", "rebaj"),
        "recruitment": ("emple", "trabaj", "vacant", "puesto", "candidat"),
        "informational": ("recordatori", "cita", "entrevist", "pedido", "entreg", "actualizaci", "avis"),
        "conversational": ("respuest", "pregunt", "conversaci"),
    },
    "gl": {
        "marketing": ("ofert", "promoci", "desconto", "novidad", "rebaix"),
        "recruitment": ("empreg", "traball", "vacant", "posto", "candidat"),
        "informational": ("recordatori", "lembranz", "cita", "entrevist", "pedido", "entreg", "actualizaci", "avis"),
        "conversational": ("respost", "pregunt", "conversa"),
    },
    "fr": {
        "marketing": ("offre", "promotion", "réduction", "remise", "nouveauté", "solde"),
        "recruitment": ("emploi", "travail", "poste", "carrière", "candidat"),
        "informational": (
            "rappel",
            "rendez-vous",
            "entretien",
            "commande",
            "livraison",
            "suivi",
            "avis",
            "mise à jour",
        ),
        "conversational": ("réponse", "question", "conversation"),
    },
}


def plain(text: str) -> str:
    """A text to compare: one case, straight apostrophes, single blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[’‘ʼ`´]", "'", folded).split())


def says(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a plain text contains one of the phrases as whole words."""
    return any(re.search(rf"(?<!\w){re.escape(plain(phrase))}(?!\w)", text) for phrase in phrases)


def begins(text: str, stems: tuple[str, ...]) -> bool:
    """Whether a word of a plain text begins with one of the stems."""
    return any(re.search(rf"(?<!\w){re.escape(plain(stem))}", text) for stem in stems)


def offers(text: str, keywords: tuple[str, ...]) -> bool:
    """Whether a text, as it was written, contains one of the keywords in capitals."""
    return any(re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text) for keyword in keywords)
