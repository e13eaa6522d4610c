# E-Mails zu Terminen. In einfachen Worten, ohne Amtsdeutsch.

mail-when = { $day } { $year }, { $time } Uhr
mail-when-twice = { $day } { $year }, { $time } Uhr (UTC{ $offset })
mail-greeting = Guten Tag { $name },
mail-greeting-nameless = Guten Tag,
mail-farewell = Freundliche Grüße, { $office }
mail-fact-when = Wann
mail-fact-so-far = Ihr Termin bisher
mail-fact-office = Büro
mail-fact-service = Anliegen
mail-fact-code = Terminnummer
mail-fact-documents = Bitte bereithalten
mail-fact-offered = Andere Zeit
mail-offered = { $offered } (für Sie reserviert bis { $until })
mail-fact-reason = Grund

mail-confirm-subject = Bitte bestätigen: Termin am { $when }
mail-confirm-lead = Sie haben einen Termin ausgewählt. Er gilt erst, wenn Sie ihn bestätigen. Öffnen Sie dazu den Link und drücken Sie auf „Termin bestätigen“.
mail-confirm-action = Termin bestätigen
mail-confirm-note = Sie wollten gar keinen Termin? Dann müssen Sie nichts tun: Ohne Bestätigung verfällt er nach kurzer Zeit.

mail-booked-subject = Ihr Termin am { $when }
mail-booked-lead = Ihr Termin ist gebucht. Das Gespräch führen Sie von zu Hause aus, im Browser. Öffnen Sie zur vereinbarten Zeit den Link.
mail-booked-action = Zum Termin: teilnehmen, verschieben oder absagen
mail-booked-note = Der Link gilt nur für Sie. Geben Sie ihn nicht weiter. Für Dolmetschende und Begleitpersonen gibt es auf der Seite eigene Links.

mail-moved-subject = Verschoben: Ihr Termin ist am { $when }
mail-moved-lead = Ihr Termin hat eine neue Zeit.
mail-moved-action = Zum Termin: teilnehmen, verschieben oder absagen
mail-moved-note = Der Link ist derselbe wie bisher. Er gilt nur für Sie.

mail-cancelled-subject = Abgesagt: Ihr Termin am { $when }
mail-cancelled-lead = Sie haben Ihren Termin abgesagt. Vielen Dank, dass Sie Bescheid gegeben haben.
mail-cancelled-action = Einen neuen Termin buchen
mail-cancelled-note = Während der Öffnungszeiten können Sie auch ohne Termin anklopfen.

mail-cancelled-by-office-subject = Abgesagt: Ihr Termin am { $when }
mail-cancelled-by-office-lead = Leider müssen wir Ihren Termin absagen. Bitte entschuldigen Sie die Umstände.
mail-cancelled-by-office-action = Einen neuen Termin buchen
mail-cancelled-by-office-note = Während der Öffnungszeiten können Sie auch ohne Termin anklopfen.

mail-reminder-subject = Erinnerung: Ihr Termin am { $when }
mail-reminder-lead = Wir erinnern Sie an Ihren Termin. Wenn Sie nicht können, sagen Sie bitte ab. Dann kann jemand anderes die Zeit nutzen.
mail-reminder-action = Zum Termin: teilnehmen, verschieben oder absagen
mail-reminder-note = Prüfen Sie vor dem Termin Kamera und Mikrofon. Es geht auch ganz ohne: Sie können auch schreiben.

mail-no-show-subject = Ihr Termin am { $when } ist verfallen
mail-no-show-lead = Wir haben auf Sie gewartet. Sie waren nicht da, deshalb ist der Termin verfallen. Sie können einfach einen neuen buchen.
mail-no-show-action = Einen neuen Termin buchen
mail-no-show-note = Während der Öffnungszeiten können Sie auch ohne Termin anklopfen.

mail-lost-subject = Ihr Termin am { $when } ist verfallen
mail-lost-lead = Sie waren zu Ihrem Termin schon da. Dann haben wir Sie vergeblich gerufen oder die Verbindung verloren, und der Termin ist verfallen. Sie können einfach einen neuen buchen.
mail-lost-action = Einen neuen Termin buchen
mail-lost-note = Während der Öffnungszeiten können Sie auch ohne Termin anklopfen.

mail-outage-subject = Ihr Termin am { $when } ist verfallen
mail-outage-lead = Um die Zeit Ihres Termins war unser virtuelles Büro eine Zeit lang nicht erreichbar. Das tut uns leid. Der Termin ist verfallen. Sie können einfach einen neuen buchen.
mail-outage-action = Einen neuen Termin buchen
mail-outage-note = Während der Öffnungszeiten können Sie auch ohne Termin anklopfen.

mail-companion-subject = Einladung: Termin am { $when }
mail-companion-lead = Jemand hat einen Termin gebucht und Sie als Begleitung angegeben.
mail-companion-action = Den Termin ansehen
mail-companion-note = Öffnen Sie den Link zur Zeit des Termins: Er führt Sie zum Gespräch. Ändern können Sie den Termin damit nicht. Wenn Sie damit nichts anfangen können, löschen Sie diese E-Mail.

mail-companion-moved-subject = Verschoben: Termin am { $when }
mail-companion-moved-lead = Der Termin, zu dem Sie als Begleitung eingeladen sind, hat eine neue Zeit.
mail-companion-moved-action = Den Termin ansehen
mail-companion-moved-note = Der Link ist derselbe wie bisher. Wenn Sie damit nichts anfangen können, löschen Sie diese E-Mail.

mail-companion-cancelled-subject = Abgesagt: Termin am { $when }
mail-companion-cancelled-lead = Der Termin, zu dem Sie als Begleitung eingeladen waren, findet nicht statt.
mail-companion-cancelled-action = Den Termin ansehen
mail-companion-cancelled-note = Sie müssen nichts tun. Wenn Sie damit nichts anfangen können, löschen Sie diese E-Mail.

mail-earlier-subject = Ein früherer Termin ist frei geworden
mail-earlier-lead = Sie wollten einen früheren Termin. Jetzt ist einer frei, und wir halten ihn für Sie. Ihr bisheriger Termin bleibt, bis Sie den früheren annehmen.
mail-earlier-action = Den früheren Termin ansehen
mail-earlier-note = Wenn Sie die Zeit nicht wollen, müssen Sie nichts tun. Dann fragen wir die nächste Person.

mail-other-time-subject = Zu Ihrem Vorschlag: Ihr Termin bleibt am { $when }
mail-other-time-lead = Ihr Kalender hat eine andere Zeit vorgeschlagen. Vorschläge aus dem Kalender können wir nicht annehmen. Ihr Termin bleibt, wie er ist.
mail-other-time-action = Selbst eine andere Zeit wählen
mail-other-time-note = Unter dem Link stehen alle freien Zeiten. Er gilt nur für Sie.

mail-calendar-description = Termin { $code } bei { $office }. Das Gespräch findet im Browser statt. Zum Verschieben oder Absagen nutzen Sie den Link in unserer E-Mail.
mail-calendar-location = Virtuelles Vorzimmer
mail-calendar-link = Zum Termin
mail-calendar-alarm = Gleich beginnt Ihr Termin.

mail-offer-subject = Andere Zeit für Ihren Termin?
mail-offer-lead = Wir möchten Ihren Termin auf eine andere Zeit legen und bitten Sie um Ihre Zustimmung. Ihr bisheriger Termin bleibt, bis Sie die andere Zeit annehmen.
mail-offer-action = Annehmen, ablehnen oder selbst eine Zeit wählen
mail-offer-note = Wenn die Zeit nicht passt, wählen Sie über den Link eine andere.
